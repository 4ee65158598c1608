import type { Block, Hex } from "../block.js";
import { BlockNotFoundError, EndpointError } from "../errors.js";
import type { Endpoint } from "./endpoint.js";
import type { ReceiptsBy } from "./endpoints/capabilities.js";
import { parseBlock } from "./parse/parse-block.js";

/** Which block is wanted: the one with this hash, or, without one, whatever is canonical at the number. */
export interface WantedBlock {
  number: number;
  hash: Hex | null;
}

/**
 * Fetches a block with its transactions, receipts and logs from one endpoint, as one consistent whole:
 * receipts of another fork than the block's are refused by the parser, since every receipt names its
 * block's hash. Two requests side by side rather than one batch: on loopback a batch saves us a twelfth of
 * the CPU and no time, but nodes serve its calls one after the other, and many refuse batches. Throws
 * BlockNotFoundError when the endpoint does not have the block.
 */
export async function fetchBlock(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<Block> {
  const [raw, receipts] = await together([
    wanted.hash === null
      ? endpoint.request("eth_getBlockByNumber", [quantity(wanted.number), true], { signal })
      : endpoint.request("eth_getBlockByHash", [wanted.hash, true], { signal }),
    fetchReceipts(endpoint, wanted, signal),
  ]);
  if (raw === null) throw notFound(endpoint, wanted);
  const known = receipts === lacking ? await fetchReceiptsOneByOne(endpoint, raw, signal) : receipts;
  // The node has dropped the block between the requests, or has not indexed it yet, or (where receipts
  // are asked for by number) has another one in its place by now.
  if (known === null || isOfAnotherBranch(endpoint, known, wanted)) throw notFound(endpoint, wanted);
  return parseBlock(raw, known, {
    endpoint: endpoint.name,
    number: wanted.number,
    ...(wanted.hash === null ? {} : { hash: wanted.hash }),
  });
}

const lacking = Symbol("lacking");

/** JSON-RPC: method not found. Some servers say instead that the request is invalid or not supported. */
const methodNotFound = new Set([-32601, -32600, -32004]);

/** The block's receipts in one call; `lacking` where the node has no such method. */
async function fetchReceipts(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<unknown> {
  const { receiptsBy } = endpoint.capabilities;
  if (receiptsBy === null) return lacking;
  try {
    return await endpoint.request("eth_getBlockReceipts", [blockParameter(wanted, receiptsBy)], { signal });
  } catch (error) {
    if (!(error instanceof EndpointError) || !methodNotFound.has(Number(error.facts.code))) throw error;
    endpoint.learn({ receiptsBy: null });
    return lacking;
  }
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
