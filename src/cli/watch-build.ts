import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { withLinkedSignal } from "../linked-signal.js";
import { readBuildProgress } from "../store/index-progress.js";
import type { IndexState, Leaf } from "../store/index-states.js";
import type { ReaderIndex } from "../store/reader-indexes.js";
import type { IndexDisplay } from "./index-progress.js";

/** How often a build is looked at. */
const lookMs = 200;

/** How much of a command's work is done, told as it goes on. */
export interface Account {
  /** What comes next. */
  name(index: ReaderIndex): void;
  onLeaf(leaf: Leaf, event: "begun" | "done"): void;
  onWait(): void;
  /** Shows how far all of it is; `phase` and `done` are of the leaf in hand. */
  tell(phase: string, done: number): void;
}

/** Keeps account of how much is done, by the size of the tables that are read for it. */
export function createAccount(states: readonly IndexState[], display: IndexDisplay): Account {
  const total = states.flatMap(({ open }) => open).reduce((sum, { leaf }) => sum + leaf.bytes, 0);
  const started = performance.now();
  let finished = 0;
  let current = 0;
  let what = "";
  let index = "";
  const tell: Account["tell"] = (phase, done) => {
    if (what === "") return;
    const share = total === 0 ? 0 : Math.min(1, (finished + current * done) / total);
    const seconds = (performance.now() - started) / 1_000;
    display.show({
      what,
      phase,
      done: share,
      secondsLeft: share > 0.01 ? (seconds * (1 - share)) / share : null,
    });
  };
  return {
    tell,
    name({ name }) {
      index = name;
      what = name;
    },
    onLeaf(leaf, event) {
      if (event === "done") {
        finished += leaf.bytes;
        current = 0;
        return;
      }
      current = leaf.bytes;
      what = `${index} on ${leaf.name}`;
      tell("begins", 0);
    },
    onWait: () => tell("waits for a transaction that uses the table", 1),
  };
}

/** Shows the progress of a session's build until it is over, and cancels its statement when `signal` aborts. */
export async function watchBuild(
  pool: pg.Pool,
  { pid, account, signal, over }: { pid: number; account: Account; signal: AbortSignal; over: AbortSignal },
): Promise<void> {
  while (!over.aborted) {
    try {
      // Again each time: what is cancelled may just have ended, and the next one begun.
      if (signal.aborted) await pool.query("select pg_cancel_backend($1)", [pid]);
      const progress = await readBuildProgress(pool, pid);
      if (progress !== null) {
        const { phase, done, waitsFor } = progress;
        account.tell(waitsFor === null ? phase : `${phase} (process ${waitsFor})`, done);
      }
    } catch {
      // What is wrong with the database the build itself will tell.
    }
    await withLinkedSignal(signal.aborted ? [over] : [signal, over], (either) =>
      sleep(lookMs, undefined, { signal: either }),
    ).catch(() => {});
  }
}
