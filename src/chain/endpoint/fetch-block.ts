import type { Block, Hex } from "../../block.js";
import { type Compute, computeUnmarked } from "../../child/compute-mark.js";
import {
  BadResponseError,
  BlockmillError,
  BlockNotFoundError,
  EndpointError,
  RateLimitedError,
} from "../../errors.js";
import { type Lenience, parseBlock } from "../parse/parse-block.js";
import type { ReceiptsBy } from "./capabilities.js";
import type { Answered, Endpoint } from "./endpoint.js";

/** Which block is wanted: the one with this hash, or, without one, whatever is canonical at the number. */
export interface WantedBlock {
  number: number;
  hash: Hex | null;
}

/** A node's two answers about one block. */
export interface BlockAnswers {
  block: Answered;
  /** `result()` is `unasked` where they were not asked for. */
  receipts: Answered;
  /** The block was asked for by its number, though a hash is wanted. */
  byNumber?: boolean;
}

export interface AskOptions {
  signal?: AbortSignal | undefined;
  /** Ask for each transaction's receipt by itself, though the endpoint knows how to give a block's. */
  singly?: boolean;
}

const unasked = Symbol("unasked");

/**
 * Asks one endpoint for a block with its transactions, and for its receipts. Two requests side by side rather than one
 * batch: on loopback a batch saves us a twelfth of the CPU and no time, but nodes serve its calls one after the other,
 * and many refuse batches. Throws where the block is refused; that the receipts are is for `readBlock` to see.
 */
export async function askForBlock(
  endpoint: Endpoint,
  wanted: WantedBlock,
  { signal, singly = false }: AskOptions = {},
): Promise<BlockAnswers> {
  const [answer, receipts] = await together([
    askForTransactions(endpoint, wanted, signal),
    singly ? notAsked : askForReceipts(endpoint, wanted, signal),
  ]);
  return { ...answer, receipts };
}

/**
 * The block that two answers hold, as one consistent whole: receipts of another fork than the block's are refused by the
 * parser, since every receipt names its block's hash. Where the receipts were refused, or are not one for each
 * transaction, in whatever way, they are asked for one by one; a block without transactions needs none.
 * Throws BlockNotFoundError when the endpoint does not have the block, or not all of it yet.
 */
export async function readBlock(
  endpoint: Endpoint,
  answers: BlockAnswers,
  wanted: WantedBlock,
  { signal, compute, lenience }: { signal?: AbortSignal | undefined; compute: Compute; lenience?: Lenience },
): Promise<Block> {
  const raw = compute(wanted.number, () => answers.block.result());
  if (raw === null || isAnother(raw, answers, wanted)) throw notFound(endpoint, wanted);
  const expected = {
    endpoint: endpoint.name,
    number: wanted.number,
    ...(wanted.hash === null ? {} : { hash: wanted.hash }),
  };
  const parse = (receipts: unknown): Block =>
    compute(wanted.number, () => parseBlock(raw, receipts, expected, lenience));
  const hashes = transactionHashes(raw);
  if (hashes?.length === 0) return parse([]);
  const inOne = compute(wanted.number, () => receiptsIn(endpoint, answers.receipts));
  // Where receipts are asked for by number, it may have another block in its place by now.
  if (inOne !== null && isOfAnotherBranch(endpoint, inOne, wanted)) throw notFound(endpoint, wanted);
  if (inOne !== null && (hashes === null || inOne.length === hashes.length)) {
    try {
      const block = parse(inOne);
      endpoint.receiptsRefused = 0;
      return block;
    } catch (error) {
      // What is wrong with the block itself is not better with other receipts.
      if (!(error instanceof BadResponseError) || !String(error.facts.field).startsWith("receipts"))
        throw error;
    }
  }
  const receipts = await fetchReceiptsOneByOne(endpoint, hashes ?? [], signal);
  // It has dropped the block between the requests, or has not indexed it yet.
  if (receipts === null) throw notFound(endpoint, wanted);
  const block = parse(receipts);
  learnFromRefusal(endpoint);
  return block;
}

/** Both of them. */
export async function fetchBlock(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<Block> {
  const answers = await askForBlock(endpoint, wanted, { signal });
  return readBlock(endpoint, answers, wanted, { signal, compute: computeUnmarked });
}

/** The block with its transactions; where that is refused for the way it is asked for, in another way. */
async function askForTransactions(
  endpoint: Endpoint,
  { number, hash }: WantedBlock,
  signal?: AbortSignal,
): Promise<Pick<BlockAnswers, "block" | "byNumber">> {
  const byNumber = (isFull: boolean) =>
    endpoint.requestAnswer("eth_getBlockByNumber", [quantity(number), isFull], { signal });
  const byHash = (isFull: boolean) =>
    endpoint.requestAnswer("eth_getBlockByHash", [hash, isFull], { signal });
  try {
    return { block: await (hash === null ? byNumber(true) : byHash(true)) };
  } catch (error) {
    const refusal = error instanceof EndpointError ? error.facts.refusal : undefined;
    if (refusal === "too-large") {
      const answer = await (hash === null ? byNumber(false) : byHash(false));
      return { block: await withTransactions(endpoint, answer, signal) };
    }
    if (hash === null || (refusal !== "lacking" && refusal !== "request")) throw error;
    return { block: await byNumber(true), byNumber: true };
  }
}

/** A block that names its transactions, with each of them asked for by itself: all in one answer were too much. */
async function withTransactions(
  endpoint: Endpoint,
  { tookMs, result }: Answered,
  signal?: AbortSignal,
): Promise<Answered> {
  const raw = result() as { transactions?: unknown } | null;
  if (raw === null || !Array.isArray(raw.transactions)) return { bytes: null, tookMs, result };
  const calls = raw.transactions.map((hash: unknown) => [hash]);
  const transactions = await endpoint.requestBatch("eth_getTransactionByHash", calls, { signal });
  return { bytes: null, tookMs, result: () => ({ ...raw, transactions }) };
}

/** Where a block that is wanted by its hash was asked for by number, another one may be in its place. */
function isAnother(raw: unknown, { byNumber = false }: BlockAnswers, { hash }: WantedBlock): boolean {
  const { hash: of } = (raw ?? {}) as { hash?: unknown };
  return byNumber && typeof of === "string" && /^0x[0-9a-f]{64}$/i.test(of) && of.toLowerCase() !== hash;
}

const notAsked: Promise<Answered> = Promise.resolve({ bytes: null, tookMs: 0, result: () => unasked });

/** The block's receipts in one call. Rejects with what stops this endpoint altogether: that it is asked too fast, an abort. */
async function askForReceipts(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<Answered> {
  const { receiptsBy } = endpoint.capabilities;
  if (receiptsBy === null) return notAsked;
  const parameter = blockParameter(wanted, receiptsBy);
  try {
    return await endpoint.requestAnswer("eth_getBlockReceipts", [parameter], { signal });
  } catch (error) {
    return {
      bytes: null,
      tookMs: 0,
      result: () => {
        throw error;
      },
    };
  }
}

/** The receipts that came in one call; null: none did, and they are to be asked for one by one. */
function receiptsIn(endpoint: Endpoint, answer: Answered): unknown[] | null {
  try {
    const result = answer.result();
    return Array.isArray(result) ? result : null;
  } catch (error) {
    if (!(error instanceof BlockmillError)) throw error;
    const { refusal } = error.facts;
    if (refusal === "lacking" || refusal === "request") endpoint.learn({ receiptsBy: null });
    // Some say so of a call that they never serve.
    if (error instanceof RateLimitedError && endpoint.receiptsRefused < refusalsToLearn) {
      endpoint.receiptsRefused += 1;
      throw error;
    }
    return null;
  }
}

/** Blocks in a row whose receipts are refused in one call, after which they are asked for singly at once. */
const refusalsToLearn = 3;

function learnFromRefusal(endpoint: Endpoint): void {
  if (endpoint.capabilities.receiptsBy === null) return;
  endpoint.receiptsRefused += 1;
  if (endpoint.receiptsRefused < refusalsToLearn) return;
  endpoint.receiptsRefused = 0;
  endpoint.learn({ receiptsBy: null });
}

function blockParameter({ number, hash }: WantedBlock, receiptsBy: ReceiptsBy): unknown {
  if (hash === null || receiptsBy === "number") return quantity(number);
  return receiptsBy === "hash" ? hash : { blockHash: hash };
}

/** Null: what is no list of transactions is for the parser to refuse. */
function transactionHashes(raw: unknown): unknown[] | null {
  const { transactions } = (raw ?? {}) as { transactions?: unknown };
  if (!Array.isArray(transactions)) return null;
  return transactions.map((each) => (each as { hash?: unknown } | null)?.hash);
}

/** In the block's order; null: it does not have them all. The last one is asked for first: nodes index it last. */
async function fetchReceiptsOneByOne(
  endpoint: Endpoint,
  hashes: readonly unknown[],
  signal?: AbortSignal,
): Promise<unknown[] | null> {
  if (hashes.length === 0) return [];
  const last = await endpoint.request("eth_getTransactionReceipt", [hashes.at(-1)], { signal });
  if (last === null) return null;
  const calls = hashes.slice(0, -1).map((hash) => [hash]);
  const others =
    calls.length === 0 ? [] : await endpoint.requestBatch("eth_getTransactionReceipt", calls, { signal });
  return others.includes(null) ? null : [...others, last];
}

function isOfAnotherBranch(endpoint: Endpoint, receipts: readonly unknown[], { hash }: WantedBlock): boolean {
  if (hash === null || endpoint.capabilities.receiptsBy !== "number") return false;
  const of = (receipts[0] as { blockHash?: unknown } | null | undefined)?.blockHash;
  return typeof of === "string" && /^0x[0-9a-f]{64}$/i.test(of) && of.toLowerCase() !== hash;
}

function quantity(number: number): string {
  return `0x${number.toString(16)}`;
}

/** Promise.all, but what fails first is thrown when both have ended: nothing stays under way. */
async function together<A, B>([a, b]: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  const [first, second] = await Promise.allSettled([a, b]);
  if (first.status === "rejected") throw first.reason;
  if (second.status === "rejected") throw second.reason;
  return [first.value, second.value];
}

function notFound(endpoint: Endpoint, { number, hash }: WantedBlock): BlockNotFoundError {
  const which = hash === null ? `block ${number}` : `block ${number} with hash ${hash}`;
  return new BlockNotFoundError(`${endpoint.name} does not have ${which}`, {
    endpoint: endpoint.name,
    block: number,
    refusal: "absent",
  });
}
