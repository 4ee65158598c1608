import type pg from "pg";
import { edgeHolders, type LockHolder } from "../db/advisory-locks.js";
import { BlockmillError } from "../errors.js";
import type { Logger } from "../logger.js";
import { edgeKeys, type LinkedBlock } from "../store/check-links.js";

/** How long commits go alone once a stranger was seen, before edges are tried again. */
const aloneMs = 60_000;

/**
 * How commits keep their blocks on one branch beside each other: by the edges between them, which are advisory locks. A
 * stranger may hold those. Then commits go alone, under a lock that takes the right to write the queue.
 */
export interface EdgeGuard {
  /** Whether a commit is to go alone. */
  alone(): boolean;
  /**
   * Whether an error is that of a commit which waited for an edge that a stranger holds; from now on commits go alone.
   * Names the stranger in the log.
   */
  isStrangers(error: unknown, blocks: readonly LinkedBlock[]): Promise<boolean>;
}

export function createEdgeGuard({ pool, log }: { pool: pg.Pool; log: Logger }): EdgeGuard {
  let aloneUntil = Number.NEGATIVE_INFINITY;
  const alone = (): boolean => performance.now() < aloneUntil;
  return {
    alone,
    async isStrangers(error, blocks) {
      if (alone() || !(error instanceof BlockmillError) || error.facts.sqlstate !== "55P03") return false;
      const strangers = (await edgeHolders(pool, edgeKeys(blocks))).filter(({ believed }) => !believed);
      const [first] = strangers;
      if (first === undefined) return false;
      aloneUntil = performance.now() + aloneMs;
      log.warn({ pid: first.pid, user: first.user }, describe(first));
      return true;
    },
  };
}

function describe({ pid, user, application }: LockHolder): string {
  const name = application === "" ? "" : `, ${application}`;
  return `${user} (pid ${pid}${name}) holds an advisory lock of blockmill's between two blocks; until it is gone, commits go one at a time. End it: SELECT pg_terminate_backend(${pid})`;
}
