import type pg from "pg";
import type { BlockSpan } from "../block.js";
import { rulesFor } from "../chain/verify/chain-rules.js";
import { createVerifier, type VerifyLevel } from "../chain/verify/verify-block.js";
import { storedSpan } from "../queue/gaps.js";
import { readHead } from "../queue/head.js";
import { countStrays } from "../store/orphan-rows.js";
import { anyChainId, storedBounds } from "../store/stored-numbers.js";
import { type ProvenBatch, proveStored } from "./prove-stored.js";
import { sampleStored } from "./sample-stored.js";

export interface VerifyStoredOptions {
  pool: pg.Pool;
  /** Null: everything that is stored. */
  span: BlockSpan | null;
  /** Only so many blocks, drawn at random. */
  sample?: number | undefined;
  /** What is demanded of every block: chain.verify. */
  level: VerifyLevel;
  recoverSenders: boolean;
  signal?: AbortSignal;
}

export interface VerifyPlan {
  /** What is looked at; null: nothing is stored. */
  span: BlockSpan | null;
  /** How many numbers that is, about: some may not be stored. */
  total: number;
  /** Rows with numbers that no block has, by table; only when everything is verified. */
  strays: { table: string; rows: number }[];
  /** Proves it. `done` is how many of the numbers were looked at. */
  run(): AsyncGenerator<ProvenBatch & { done: number }>;
}

/**
 * Plans the proof of stored blocks by the rules of the schema's chain. Blocks that are stored after this
 * are left out.
 */
export async function planVerification(options: VerifyStoredOptions): Promise<VerifyPlan> {
  const { pool, sample, level, recoverSenders, signal } = options;
  const everything = await boundsOf(pool);
  const span = options.span ?? everything;
  const strays = options.span === null && sample === undefined ? await countStrays(pool) : [];
  if (span === null) return { span, total: 0, strays, async *run() {} };
  const rules = rulesFor(await chainIdOf(pool));
  const prover = { verifier: createVerifier(), rules, level, recoverSenders };
  const isAsked = options.span !== null && sample === undefined;
  const prove = (part: BlockSpan) =>
    proveStored({ pool, prover, isAsked, ...part, ...(signal !== undefined && { signal }) });
  if (sample !== undefined) {
    const numbers = await sampleStored(pool, { ...span, count: sample });
    return { span, total: numbers.length, strays, run: () => proveEach(numbers, prove) };
  }
  // Nothing stored: all of the span is one hole, which is looked at in one go.
  const stored = everything ?? { from: span.from, to: span.from };
  const first = Math.max(span.from, stored.from);
  const last = Math.max(first - 1, Math.min(span.to, stored.to));
  const doneAt = (upTo: number) => Math.max(0, Math.min(upTo, last) - first + 1);
  return { span, total: last - first + 1, strays, run: () => proveAll(span, prove, doneAt) };
}

type Prove = (part: BlockSpan) => AsyncGenerator<ProvenBatch>;

async function* proveAll(span: BlockSpan, prove: Prove, doneAt: (upTo: number) => number) {
  for await (const batch of prove(span)) yield { ...batch, done: doneAt(batch.upTo) };
}

async function* proveEach(numbers: readonly number[], prove: Prove) {
  for (const [index, number] of numbers.entries())
    for await (const batch of prove({ from: number, to: number })) yield { ...batch, done: index + 1 };
}

/** From the lowest to the highest number that a row is of, or that the queue says is stored. */
async function boundsOf(pool: pg.Pool): Promise<BlockSpan | null> {
  const rows = await storedBounds(pool);
  const claimed = await storedSpan(pool);
  if (rows === null) return claimed;
  if (claimed === null) return rows;
  return { from: Math.min(rows.from, claimed.from), to: Math.max(rows.to, claimed.to) };
}

/** Where no head was followed yet, what a transaction says: only which rules hold depends on it. */
async function chainIdOf(pool: pg.Pool): Promise<number> {
  const head = await readHead(pool);
  if (head !== null) return head.chainId;
  const chainId = Number(await anyChainId(pool));
  return Number.isSafeInteger(chainId) && chainId > 0 ? chainId : ethereum;
}

const ethereum = 1;
