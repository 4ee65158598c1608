import type pg from "pg";
import { findOldTransaction, type OldTransaction } from "../db/old-transaction.js";
import type { Logger } from "../logger.js";
import { clearAlert, raiseAlert } from "../queue/alerts.js";

/**
 * Looks for a transaction that is open for longer than `olderThanMs`: while it is, vacuum cannot remove
 * the dead rows of the queue, and every table that is written grows. Raises an alert that names it, and
 * clears it when it is gone.
 */
export function createTransactionWatch({
  pool,
  log,
  olderThanMs,
}: {
  pool: pg.Pool;
  log: Logger;
  olderThanMs: number;
}): () => Promise<void> {
  let told: string | undefined;
  // At first nobody knows: an earlier leader may have raised it.
  let mayBeAlarmed = true;
  return async () => {
    const found = await findOldTransaction(pool, olderThanMs);
    if (found === null) {
      if (mayBeAlarmed) await clearAlert(pool, "old_transaction");
      mayBeAlarmed = false;
      told = undefined;
      return;
    }
    const message = describe(found);
    await raiseAlert(pool, "old_transaction", message);
    mayBeAlarmed = true;
    const who = String(found.pid ?? found.gid);
    if (told !== who)
      log.warn({ alert: "old_transaction", pid: found.pid, ageMs: Math.round(found.ageMs) }, message);
    told = who;
  };
}

function describe({ pid, gid, user, application, state, ageMs }: OldTransaction): string {
  const seconds = Math.round(ageMs / 1_000);
  const because = "meanwhile vacuum cannot clean the queue, and tables grow";
  if (pid === null) {
    return `the prepared transaction '${gid}' of ${user} is open for ${seconds} s: ${because}. End it: COMMIT PREPARED or ROLLBACK PREPARED '${gid}'`;
  }
  const name = application === "" ? "" : `, ${application}`;
  return `a transaction of ${user} (pid ${pid}${name}, ${state}) is open for ${seconds} s: ${because}. End it: SELECT pg_terminate_backend(${pid})`;
}
