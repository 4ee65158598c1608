import type pg from "pg";
import { describeLockWait, findLockWait } from "../db/lock-waits.js";
import type { Logger } from "../logger.js";
import { clearAlert, raiseAlert } from "../queue/alerts.js";
import type { Duty } from "./run-duties.js";

/** What waits longer is told. Commits of ours hold theirs for milliseconds. */
const longerThanMs = 3_000;
const everyMs = 2_000;

/**
 * Looks for what waits for a lock of somebody else's, an open transaction in psql say: names its session in the log and
 * in an alert, which is cleared when the wait is over. To be run beside the other duties: they may be what waits.
 */
export function createLockWatch({ pool, log }: { pool: pg.Pool; log: Logger }): Duty {
  let told: number | null | undefined;
  // At first nobody knows: an earlier leader may have raised it.
  let mayBeAlarmed = true;
  return {
    name: "watch locks",
    async run() {
      const found = await findLockWait(pool, longerThanMs);
      if (found === null) {
        if (mayBeAlarmed) await clearAlert(pool, "lock_wait");
        mayBeAlarmed = false;
        told = undefined;
        return everyMs;
      }
      const message = describeLockWait(found);
      await raiseAlert(pool, "lock_wait", message);
      mayBeAlarmed = true;
      if (told !== found.pid) log.warn({ alert: "lock_wait", pid: found.pid }, message);
      told = found.pid;
      return everyMs;
    },
  };
}
