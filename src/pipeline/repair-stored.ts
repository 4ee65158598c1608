import type pg from "pg";
import { inTransaction } from "../db/pool.js";
import { enqueueBlocks, enqueueSeries } from "../queue/enqueue.js";
import { openRange } from "../queue/ranges.js";
import { uncoverBlocks } from "../queue/uncover.js";
import { deleteOrphans } from "../store/orphan-rows.js";
import type { Span } from "../store/stored-numbers.js";
import type { Finding } from "./prove-stored.js";

/** More neighbouring blocks than this become a range, instead of a job each. */
const maxJobs = 10_000;

/**
 * Enqueues again whatever findings name, in one transaction, and returns how many blocks that are. Rows of
 * a wrong block stay until its job replaces them. A missing block is no longer said to be stored; rows
 * without a block are removed, since they would keep the block from being written.
 */
export async function repairStored(pool: pg.Pool, findings: readonly Finding[]): Promise<number> {
  const wrong = findings.filter(({ kind }) => kind === "wrong");
  const gone = findings.filter(({ kind }) => kind !== "wrong");
  const blocks = [...new Set(wrong.map(({ from }) => from))];
  if (findings.length === 0) return 0;
  return inTransaction(pool, async (tx) => {
    // In the order in which a reorg takes its locks: jobs, coverage, rows.
    await enqueueBlocks(tx, blocks, { force: true });
    const spans = merged(gone);
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

/** Spans that overlap or touch, as one. */
export function merged(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const { from, to } of spans.toSorted((a, b) => a.from - b.from)) {
    const last = result.at(-1);
    if (last === undefined || from > last.to + 1) result.push({ from, to });
    else last.to = Math.max(last.to, to);
  }
  return result;
}
