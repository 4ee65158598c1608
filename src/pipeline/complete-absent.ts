// A number at which the chain has no block: its job is completed without rows, where a later block proves that.

import type { BlockSpan } from "../block.js";
import { type AbsentBlockError, mostSkipped } from "../chain/prove-absence.js";
import { sendTogether } from "../db/exchange.js";
import type { Tx } from "../db/pool.js";
import { dispositionOf } from "../errors.js";
import { findAbsent } from "../queue/absent.js";
import { completion } from "../queue/complete.js";
import type { ClaimedJob } from "../queue/job.js";
import type { JobResult } from "../queue/job-result.js";
import { lockCommits } from "../queue/lock-commits.js";
import { assertAbsent, storedAround } from "../store/check-links.js";
import type { EncodedBlock } from "../store/encode-block.js";
import { changeRows, type Door } from "./change-rows.js";
import { type BatchOutcome, type FailureOptions, settleFailure } from "./settle-failure.js";

/** Completes the job of such a number. Rows that are stored under it go. */
export async function completeAbsent(
  options: Door & FailureOptions & { workerId: string },
  job: ClaimedJob,
  { absence, endpoint }: AbsentBlockError,
): Promise<BatchOutcome> {
  const { blockNumber: number, token } = job;
  const result: JobResult = { ...nothing, endpoint, absent: true };
  const span = { from: absence.parent.number + 1, to: absence.child.number - 1 };
  const between = numbersOf(span).map((each) => ({ number: each }));
  let held = true;
  try {
    await changeRows(options, {
      async decide(tx) {
        // It is rare, and concerns all that lies between two blocks: others keep off.
        await lockCommits(tx);
        const [completed, around] = await sendTogether(tx, [
          completion(options.workerId, [{ token, result }]),
          storedAround(between),
        ]);
        held = completed.size > 0;
        if (!held) return null;
        assertAbsent(number, absence, around);
        const isStored = around.some((block) => block.number === number);
        return isStored ? { kind: "remove", spans: [{ from: number, to: number }] } : null;
      },
      settle: async () => {},
    });
  } catch (error) {
    const disposition = dispositionOf(error);
    if (disposition === "wait" || disposition === "fatal-process") throw error;
    return settleFailure(options, { job, error });
  }
  if (!held) return { completed: 0, failed: 0, lost: 1 };
  options.log.info({ block: number, ...absence }, "the chain has no block at this number");
  return { completed: 1, failed: 0, lost: 0 };
}

/** The numbers next to these blocks at which the chain has none, as completed jobs say. */
export async function absentAround(tx: Tx, blocks: readonly EncodedBlock[]): Promise<Set<number>> {
  const given = new Set(blocks.map(({ number }) => number));
  const spans = await findAbsent(
    tx,
    blocks.map(({ number }) => ({ from: Math.max(0, number - mostSkipped), to: number + mostSkipped })),
  );
  const isBeside = ({ from, to }: BlockSpan) => given.has(from - 1) || given.has(to + 1);
  return new Set(
    spans
      .filter(isBeside)
      .flatMap(numbersOf)
      .filter((number) => !given.has(number)),
  );
}

function numbersOf({ from, to }: BlockSpan): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** The result of a number without a block, but for who told of it. */
const nothing = {
  ...{ transactions: 0, logs: 0, withdrawals: 0, token_transfers: 0 },
  ...{ fetch_ms: 0, verify_ms: 0, encode_ms: 0, direct: false },
};
