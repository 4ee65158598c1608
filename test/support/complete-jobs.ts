import { send } from "../../src/db/exchange.js";
import type { Tx } from "../../src/db/pool.js";
import { type Completion, completion } from "../../src/queue/complete.js";

/** Completes the jobs whose token still holds, and returns their ids: without rows, which a commit sends along. */
export function completeJobs(
  tx: Tx,
  workerId: string,
  completions: readonly Completion[],
): Promise<Set<number>> {
  return send(tx, completion(workerId, completions));
}
