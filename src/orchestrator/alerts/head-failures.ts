import type pg from "pg";
import type { Logger } from "../../logger.js";
import { clearAlert, raiseAlert } from "../../queue/alerts.js";
import { type FailingHead, readFailingHeads } from "../../queue/read-failing-heads.js";
import type { Duty } from "../run-duties.js";
import type { Rule } from "./rule.js";

/** Raised and cleared below, beside the looks. */
export const headFailures: Rule = { priority: "err" };

const everyMs = 3_000;
/** So many heads in a row. One that fails alone is the block's own matter. */
const inARow = 3;

/**
 * Looks for heads that failed for the same reason, one after the other: a hard fork that this version does not know, or a
 * node that serves what does not prove its blocks. Raises an alert, which is cleared when a head is stored.
 */
export function createHeadFailuresAlert({ pool, log }: { pool: pg.Pool; log: Logger }): Duty {
  let told: string | undefined;
  // At first nobody knows: an earlier leader may have raised it.
  let mayBeAlarmed = true;
  return {
    name: "watch failing heads",
    async run() {
      const alike = firstAlike(await readFailingHeads(pool));
      const [newest] = alike;
      if (newest === undefined) {
        if (mayBeAlarmed) await clearAlert(pool, "head_failures");
        mayBeAlarmed = false;
        told = undefined;
        return everyMs;
      }
      const lowest = alike.at(-1)?.blockNumber;
      const message = `the heads from block ${lowest} to ${newest.blockNumber} failed for the same reason, and nothing behind them is stored: ${newest.reason}`;
      await raiseAlert(pool, "head_failures", message);
      mayBeAlarmed = true;
      const reason = fingerprint(newest.reason);
      if (told !== reason) log.error({ alert: "head_failures", block: newest.blockNumber }, message);
      told = reason;
      return everyMs;
    },
  };
}

/** The newest of these heads, which come from the highest down, that failed for one reason; none, if they are too few. */
export function firstAlike(heads: readonly FailingHead[]): readonly FailingHead[] {
  const first = heads[0];
  if (first === undefined) return [];
  const reason = fingerprint(first.reason);
  const end = heads.findIndex(
    (each, i) => each.blockNumber !== first.blockNumber - i || fingerprint(each.reason) !== reason,
  );
  const alike = end < 0 ? heads : heads.slice(0, end);
  return alike.length < inARow ? [] : alike;
}

/** What failures of different blocks have in common: no hash, no number, nobody's name. */
function fingerprint(reason: string): string {
  return reason
    .replace(/\bof \S+ is not proven/, "is not proven")
    .replace(/0x[0-9a-f]*/gi, "0x")
    .replace(/\d+/g, "0");
}
