import { send } from "../../src/db/exchange.js";
import type { Tx } from "../../src/db/pool.js";
import { completion } from "../../src/queue/complete.js";
import type { Token } from "../../src/queue/job.js";
import type { JobResult } from "../../src/queue/job-result.js";

/** Of a result, a test says what it looks at. */
interface Completion {
  token: Token;
  result: Partial<JobResult>;
}

/** Completes the jobs whose token still holds, and returns their ids: without rows, which a commit sends along. */
export function completeJobs(
  tx: Tx,
  workerId: string,
  completions: readonly Completion[],
): Promise<Set<number>> {
  return send(tx, completion(workerId, completions as Parameters<typeof completion>[1]));
}
