// What is stored already, proven from the database's rows alone.
//
//   readBatch    one snapshot: blocks, their digests, their neighbours, rows without a block, and blocks
//                that the queue says are stored but are not
//   proveBatch   CPU, no transaction
//
// Every block is written, rewritten and removed in one transaction, together with its job: so within one
// snapshot a running daemon never leaves anything half done.

import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { mostSkipped } from "../chain/prove-absence.js";
import { inTransaction } from "../db/pool.js";
import type { Check } from "../fields/direct-layout.js";
import { findAbsent } from "../queue/absent.js";
import { findCompleted } from "../queue/gaps.js";
import { type LoadedBlock, loadBlocks } from "../store/load-blocks.js";
import { findOrphans, type RowSpan } from "../store/orphan-rows.js";
import { storedDigests } from "../store/stored-digests.js";
import { nextStored, readLinks } from "../store/stored-numbers.js";
import type { Contradiction } from "../store/stored-row.js";
import { plural } from "../wording.js";
import { brokenLinks } from "./broken-links.js";
import { mergeSpans } from "./merge-spans.js";
import { type Prover, proveRows } from "./prove-rows.js";

/** What a missing block should have been by the queue's word; by somebody's who asked for it, just a row. */
export const asQueueSays = "a row, as the queue says";

/** What is to be said of the blocks from `from` to `to`, mostly one. */
export interface Finding extends BlockSpan, Contradiction {
  /**
   * `wrong`: a stored block. `missing`: the queue says that it is stored, or somebody asked for it. `orphan`: rows without
   * a block. `unproven`: nothing is wrong with a stored block, but it does not follow from its hash, and need not.
   */
  kind: "wrong" | "missing" | "orphan" | "unproven";
}

export interface ProvenBatch {
  /** How far the proof is: the last number that was looked at. */
  upTo: number;
  /** Stored blocks that were looked at. */
  blocks: number;
  findings: Finding[];
}

export interface ProveStoredOptions extends BlockSpan {
  pool: pg.Pool;
  prover: Prover;
  /** Whether each block that is not stored is missing, and not only those that the queue says are stored. */
  isAsked?: boolean;
  signal?: AbortSignal;
}

/** What is read at once: this many blocks, or about this many rows, whatever is less. */
const batch = { limit: 250, maxRows: 10_000 };

/** Proves what is stored of a span, a batch at a time. Ends early when `signal` aborts. */
export async function* proveStored({
  pool,
  prover,
  isAsked = false,
  signal,
  ...span
}: ProveStoredOptions): AsyncGenerator<ProvenBatch> {
  let wrongBefore: ReadonlySet<number> = new Set();
  for (let from = span.from; from <= span.to && signal?.aborted !== true; ) {
    const read = await readBatch(pool, { from, to: span.to }, prover);
    const findings = proveBatch(read, { prover, span, isAsked, wrongBefore });
    yield { upTo: read.upTo, blocks: read.blocks.length, findings };
    wrongBefore = new Set(findings.flatMap(({ kind, to }) => (kind === "unproven" ? [] : [to])));
    from = read.upTo + 1;
  }
}

interface ReadBatch {
  upTo: number;
  blocks: LoadedBlock[];
  digests: Map<number, string>;
  /** The blocks next to them that are stored. */
  neighbours: Awaited<ReturnType<typeof readLinks>>;
  orphans: RowSpan[];
  holes: BlockSpan[];
  missing: BlockSpan[];
  /** Of the holes: the chain has no block there. */
  absent: BlockSpan[];
}

function readBatch(pool: pg.Pool, { from, to }: BlockSpan, { verifier, rules }: Prover): Promise<ReadBatch> {
  return inTransaction(pool, async (tx) => {
    await tx.query("set transaction isolation level repeatable read, read only");
    await tx.query("set local bytea_output = 'hex'");
    const numbers = await nextStored(tx, { from, to, ...batch });
    const last = numbers.at(-1) ?? to;
    const following = await nextStored(tx, { from: last + 1, to, limit: 1, maxRows: 1 });
    // The last batch has the holes behind it as well.
    const upTo = following.length > 0 ? last : to;
    const holes = holesBetween(
      numbers.map((number) => ({ from: number, to: number })),
      { from, to: upTo },
    );
    const absent = rules.nullRounds ? await findAbsent(tx, [beside({ from, to: upTo })]) : [];
    const completed = holes.length === 0 ? [] : await findCompleted(tx, holes);
    const [below, above] = [neighbourBelow(from, absent), neighbourAbove(to, absent)];
    return {
      upTo,
      blocks: await loadBlocks(tx, numbers, verifier.bloomOf),
      digests: await storedDigests(tx, numbers),
      neighbours: await readLinks(tx, upTo === to ? [below, above] : [below]),
      orphans: holes.length === 0 ? [] : await findOrphans(tx, holes),
      holes,
      missing: completed.flatMap((span) => holesBetween(absent, span)),
      absent,
    };
  });
}

/** A span, with as many numbers on both sides as a chain may skip. */
function beside({ from, to }: BlockSpan): BlockSpan {
  return {
    from: Math.max(0, from - mostSkipped),
    to: Math.min(to + mostSkipped, Number.MAX_SAFE_INTEGER - 1),
  };
}

/** The number before `from` at which the chain may have a block. */
function neighbourBelow(from: number, absent: readonly BlockSpan[]): number {
  return (absent.find((span) => span.from < from && span.to >= from - 1)?.from ?? from) - 1;
}

function neighbourAbove(to: number, absent: readonly BlockSpan[]): number {
  return (absent.find((span) => span.to > to && span.from <= to + 1)?.to ?? to) + 1;
}

/** What of a span lies in none of these spans, which are in order. */
function holesBetween(spans: readonly BlockSpan[], { from, to }: BlockSpan): BlockSpan[] {
  const holes: BlockSpan[] = [];
  let next = from;
  for (const span of [...spans.filter((each) => each.to >= from && each.from <= to), { from: to + 1, to }]) {
    if (span.from > next) holes.push({ from: next, to: span.from - 1 });
    next = span.to + 1;
  }
  return holes;
}

function proveBatch(
  read: ReadBatch,
  {
    prover,
    span,
    isAsked,
    wrongBefore,
  }: { prover: Prover; span: BlockSpan; isAsked: boolean; wrongBefore: ReadonlySet<number> },
): Finding[] {
  const { blocks, digests, neighbours, orphans, holes, missing, absent } = read;
  const findings: Finding[] = [];
  const wrong = new Set(wrongBefore);
  const unproven: UnprovenBlock[] = [];
  for (const block of blocks) {
    const { number } = block;
    const proof = proveRows(block, { ...prover, digest: digests.get(number) });
    if (proof.wrong.length > 0) wrong.add(number);
    if (proof.unproven.length > 0) unproven.push({ ...proof, number });
    for (const each of proof.wrong) findings.push({ kind: "wrong", from: number, to: number, ...each });
  }
  // What the last batch named is named already.
  for (const { number, ...link } of brokenLinks({
    blocks,
    neighbours,
    wrong,
    span,
    absent: numbersOf(absent),
  })) {
    if (wrongBefore.has(number)) continue;
    wrong.add(number);
    findings.push({ kind: "wrong", from: number, to: number, table: "blocks", ...link });
  }
  findings.push(...unprovenFindings(unproven.filter(({ number }) => !wrong.has(number))));
  const known = mergeSpans([...missing, ...absent]);
  const unheardOf = isAsked ? holes.flatMap((hole) => holesBetween(known, hole)) : [];
  for (const [spans, expected] of [
    [missing, asQueueSays],
    [unheardOf, "a row"],
  ] as const)
    for (const { from, to } of spans)
      findings.push({
        kind: "missing",
        from,
        to,
        table: "blocks",
        field: "number",
        expected,
        actual: "none",
      });
  for (const { table, from, to, rows } of orphans)
    findings.push({
      kind: "orphan",
      from,
      to,
      table,
      field: "block_number",
      expected: "a stored block",
      actual: `${plural(rows, "row")} without one`,
    });
  return findings;
}

function numbersOf(spans: readonly BlockSpan[]): ReadonlySet<number> {
  return new Set(spans.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i)));
}

interface UnprovenBlock {
  number: number;
  unproven: readonly Check[];
  proven: readonly Check[];
}

/** Neighbours of which the same is to be said are one finding: there may be a whole chain of them. */
function unprovenFindings(blocks: readonly UnprovenBlock[]): Finding[] {
  const findings: Finding[] = [];
  for (const { number, unproven, proven } of blocks) {
    const expected = unproven.join(", ");
    const actual = proven.join(", ") || "nothing";
    const last = findings.at(-1);
    if (last?.to === number - 1 && last.expected === expected && last.actual === actual) last.to = number;
    else
      findings.push({
        ...{ kind: "unproven", from: number, to: number },
        ...{ table: "blocks", field: "verified", expected, actual },
      });
  }
  return findings;
}
