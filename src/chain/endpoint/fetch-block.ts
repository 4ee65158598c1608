import type { Block, Hex } from "../../block.js";
import { type Compute, computeUnmarked } from "../../child/compute-mark.js";
import { BlockNotFoundError, EndpointError } from "../../errors.js";
import { parseBlock } from "../parse/parse-block.js";
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
  /** `result()` may be `lacking`. */
  receipts: Answered;
}

const lacking = Symbol("lacking");

/**
 * Asks one endpoint for a block with its transactions, and for its receipts. Two requests side by side rather than one
 * batch: on loopback a batch saves us a twelfth of the CPU and no time, but nodes serve its calls one after the other,
 * and many refuse batches.
 */
export async function askForBlock(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<BlockAnswers> {
  const [block, receipts] = await together([
    wanted.hash === null
      ? endpoint.requestAnswer("eth_getBlockByNumber", [quantity(wanted.number), true], { signal })
      : endpoint.requestAnswer("eth_getBlockByHash", [wanted.hash, true], { signal }),
    askForReceipts(endpoint, wanted, signal),
  ]);
  return { block, receipts };
}

/**
 * The block that two answers hold, as one consistent whole: receipts of another fork than the block's are refused by the
 * parser, since every receipt names its block's hash. Asks for receipts one by one where the endpoint knows no other way.
 * Throws BlockNotFoundError when the endpoint does not have the block.
 */
export async function readBlock(
  endpoint: Endpoint,
  answers: BlockAnswers,
  wanted: WantedBlock,
  { signal, compute }: { signal?: AbortSignal | undefined; compute: Compute },
): Promise<Block> {
  const raw = compute(wanted.number, () => answers.block.result());
  if (raw === null) throw notFound(endpoint, wanted);
  const receipts = compute(wanted.number, () => receiptsIn(endpoint, answers.receipts));
  const known = receipts === lacking ? await fetchReceiptsOneByOne(endpoint, raw, signal) : receipts;
  // The node has dropped the block between the requests, or has not indexed it yet, or (where receipts
  // are asked for by number) has another one in its place by now.
  if (known === null || isOfAnotherBranch(endpoint, known, wanted)) throw notFound(endpoint, wanted);
  const expected = {
    endpoint: endpoint.name,
    number: wanted.number,
    ...(wanted.hash === null ? {} : { hash: wanted.hash }),
  };
  return compute(wanted.number, () => parseBlock(raw, known, expected));
}

/** Both of them. */
export async function fetchBlock(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<Block> {
  const answers = await askForBlock(endpoint, wanted, signal);
  return readBlock(endpoint, answers, wanted, { signal, compute: computeUnmarked });
}

/** JSON-RPC: method not found. Some servers say instead that the request is invalid or not supported. */
const methodNotFound = new Set([-32601, -32600, -32004]);

/** The block's receipts in one call; `lacking` where the node has no such method. */
async function askForReceipts(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<Answered> {
  const none = { bytes: null, tookMs: 0, result: () => lacking };
  const { receiptsBy } = endpoint.capabilities;
  if (receiptsBy === null) return none;
  const parameter = blockParameter(wanted, receiptsBy);
  try {
    return await endpoint.requestAnswer("eth_getBlockReceipts", [parameter], { signal });
  } catch (error) {
    learnThatLacking(endpoint, error);
    return none;
  }
}

function receiptsIn(endpoint: Endpoint, answer: Answered): unknown {
  try {
    return answer.result();
  } catch (error) {
    learnThatLacking(endpoint, error);
    return lacking;
  }
}

/** Throws the error, unless it says that there is no such method. */
function learnThatLacking(endpoint: Endpoint, error: unknown): void {
  if (!(error instanceof EndpointError) || !methodNotFound.has(Number(error.facts.code))) throw error;
  endpoint.learn({ receiptsBy: null });
}

function blockParameter({ number, hash }: WantedBlock, receiptsBy: ReceiptsBy): unknown {
  if (hash === null || receiptsBy === "number") return quantity(number);
  return receiptsBy === "hash" ? hash : { blockHash: hash };
}

async function fetchReceiptsOneByOne(
  endpoint: Endpoint,
  raw: unknown,
  signal?: AbortSignal,
): Promise<unknown[] | null> {
  const transactions = (raw as { transactions?: unknown }).transactions;
  const hashes = Array.isArray(transactions)
    ? transactions.map((each) => (each as { hash?: unknown } | null)?.hash)
    : [];
  const calls = hashes.map((hash) => [hash]);
  const receipts = await endpoint.requestBatch("eth_getTransactionReceipt", calls, { signal });
  return receipts.includes(null) ? null : receipts;
}

function isOfAnotherBranch(endpoint: Endpoint, receipts: unknown, { hash }: WantedBlock): boolean {
  if (hash === null || endpoint.capabilities.receiptsBy !== "number" || !Array.isArray(receipts))
    return false;
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
  });
}
