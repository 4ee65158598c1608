import type { BlockSpan } from "../block.js";
import type { Tx } from "../db/pool.js";
import { enqueueSeries } from "../queue/enqueue.js";
import { openRange } from "../queue/ranges.js";
import { changeRows, type Door } from "./change-rows.js";
import { mergeSpans } from "./merge-spans.js";
import type { Finding } from "./prove-stored.js";

/** More neighbouring blocks than this become a range, instead of a job each. */
const maxJobs = 10_000;

/**
 * Enqueues again what is wrong or missing, in one transaction, and returns how many blocks that are. Rows of
 * a wrong block stay until its job replaces them. A missing block is no longer said to be stored. Rows
 * without a block are removed: they would keep it from being written.
 */
export async function repairStored(door: Door, findings: readonly Finding[]): Promise<number> {
  const ofKind = (wanted: Finding["kind"]) => findings.filter(({ kind }) => kind === wanted);
  const [wrong, missing, orphans] = [ofKind("wrong"), ofKind("missing"), ofKind("orphan")];
  // What is unproven would come again as it is.
  if (wrong.length + missing.length + orphans.length === 0) return 0;
  const asked = mergeSpans([...wrong, ...missing]);
  await changeRows(door, {
    async decide(tx) {
      await enqueueSpans(tx, asked);
      const spans = mergeSpans([...missing, ...orphans]);
      return spans.length === 0 ? null : { kind: "clear", spans };
    },
    settle: async () => {},
  });
  return asked.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** In the order of the blocks, as commits lock their jobs. */
async function enqueueSpans(tx: Tx, spans: readonly BlockSpan[]): Promise<void> {
  for (const { from, to } of spans) {
    if (to - from < maxJobs) await enqueueSeries(tx, { from, to, force: true });
    else await openRange(tx, { from, to, force: true });
  }
}

/**
 * Removes the rows whose numbers no block has; their blocks are found to be wrong or missing by themselves. Returns how
 * many went.
 */
export async function removeStrays(door: Door): Promise<number> {
  const removed = await changeRows(door, {
    decide: async () => ({ kind: "clear strays" }),
    settle: async (_tx, { strays = 0 }) => strays,
  });
  return removed ?? 0;
}
