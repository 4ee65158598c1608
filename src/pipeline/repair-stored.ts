import type pg from "pg";
import { inTransaction } from "../db/pool.js";
import { enqueueBlocks, enqueueSeries } from "../queue/enqueue.js";
import { openRange } from "../queue/ranges.js";
import { uncoverBlocks } from "../queue/uncover.js";
import { deleteOrphans, deleteStrays } from "../store/orphan-rows.js";
import { mergeSpans } from "./merge-spans.js";
import type { Finding } from "./prove-stored.js";

/** More neighbouring blocks than this become a range, instead of a job each. */
const maxJobs = 10_000;

/**
 * Enqueues again whatever findings name, in one transaction, and returns how many blocks that are. Rows of
 * a wrong block stay until its job replaces them. A missing block is no longer said to be stored; rows
 * without a block are removed, since they would keep the block from being written.
 */
export async function repairStored(pool: pg.Pool, findings: readonly Finding[]): Promise<number> {
  if (findings.length === 0) return 0;
  const wrong = findings.filter(({ kind }) => kind === "wrong");
  const blocks = [...new Set(wrong.map(({ from }) => from))];
  const spans = mergeSpans(findings.filter(({ kind }) => kind !== "wrong"));
  return inTransaction(pool, async (tx) => {
    // In the order in which a reorg takes its locks: jobs, coverage, rows.
    await enqueueBlocks(tx, blocks, { force: true });
    let enqueued = blocks.length;
    for (const span of spans) {
      if (span.to - span.from < maxJobs) await enqueueSeries(tx, { ...span, force: true });
      else await openRange(tx, { ...span, force: true });
      enqueued += span.to - span.from + 1;
    }
    if (spans.length > 0) {
      await uncoverBlocks(tx, spans);
      await deleteOrphans(tx, spans);
    }
    return enqueued;
  });
}

/** Removes the rows whose numbers no block has; their blocks are found to be wrong or missing by themselves. */
export function removeStrays(pool: pg.Pool): Promise<number> {
  return inTransaction(pool, deleteStrays);
}
