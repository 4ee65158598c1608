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
 * Enqueues again what is wrong or missing, in one transaction, and returns how many blocks that are. Rows of
 * a wrong block stay until its job replaces them. A missing block is no longer said to be stored. Rows
 * without a block are removed: they would keep it from being written.
 */
export async function repairStored(pool: pg.Pool, findings: readonly Finding[]): Promise<number> {
  if (findings.length === 0) return 0;
  const ofKind = (wanted: Finding["kind"]) => findings.filter(({ kind }) => kind === wanted);
  const wrong = [...new Set(ofKind("wrong").map(({ from }) => from))];
  const missing = ofKind("missing");
  const orphans = mergeSpans(ofKind("orphan"));
  return inTransaction(pool, async (tx) => {
    // In the order in which a reorg takes its locks: jobs, coverage, rows.
    await enqueueBlocks(tx, wrong, { force: true });
    for (const { from, to } of missing) {
      if (to - from < maxJobs) await enqueueSeries(tx, { from, to, force: true });
      else await openRange(tx, { from, to, force: true });
    }
    if (missing.length > 0) await uncoverBlocks(tx, missing);
    if (orphans.length > 0) await deleteOrphans(tx, orphans);
    return missing.reduce((sum, { from, to }) => sum + to - from + 1, wrong.length);
  });
}

/** Removes the rows whose numbers no block has; their blocks are found to be wrong or missing by themselves. */
export function removeStrays(pool: pg.Pool): Promise<number> {
  return inTransaction(pool, deleteStrays);
}
