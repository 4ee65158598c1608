import type { Block, Hex } from "../block.js";
import { BlockNotFoundError, EndpointError } from "../errors.js";
import type { Endpoint } from "./endpoint.js";
import { parseBlock } from "./parse/parse-block.js";

/** Which block is wanted: the one with this hash, or, without one, whatever is canonical at the number. */
export interface WantedBlock {
  number: number;
  hash: Hex | null;
}

/**
 * Fetches a block with its transactions, receipts and logs from one endpoint, as one consistent whole:
 * receipts of another fork than the block's are refused by the parser, since every receipt names its
 * block's hash. Throws BlockNotFoundError when the endpoint does not have it.
 */
export async function fetchBlock(
  endpoint: Endpoint,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<Block> {
  const quantity = `0x${wanted.number.toString(16)}`;
  const [raw, receipts] = await Promise.all([
    wanted.hash === null
      ? endpoint.request("eth_getBlockByNumber", [quantity, true], { signal })
      : endpoint.request("eth_getBlockByHash", [wanted.hash, true], { signal }),
    fetchReceipts(endpoint, wanted.hash ?? quantity, signal),
  ]);
  if (raw === null) throw notFound(endpoint, wanted);
  const known = receipts ?? (await fetchReceiptsOneByOne(endpoint, raw, wanted, signal));
  return parseBlock(raw, known, {
    endpoint: endpoint.name,
    number: wanted.number,
    ...(wanted.hash === null ? {} : { hash: wanted.hash }),
  });
}

const methodNotFound = new Set([-32601, -32600, -32004]);

/** The block's receipts in one call; null where the node lacks the method. */
async function fetchReceipts(endpoint: Endpoint, block: string, signal?: AbortSignal): Promise<unknown> {
  try {
    return await endpoint.request("eth_getBlockReceipts", [block], { signal });
  } catch (error) {
    if (error instanceof EndpointError && methodNotFound.has(Number(error.facts.code))) return null;
    throw error;
  }
}

async function fetchReceiptsOneByOne(
  endpoint: Endpoint,
  raw: unknown,
  wanted: WantedBlock,
  signal?: AbortSignal,
): Promise<unknown[]> {
  const transactions = (raw as { transactions?: unknown }).transactions;
  const hashes = Array.isArray(transactions)
    ? transactions.map((each) => (each as { hash?: unknown } | null)?.hash)
    : [];
  const calls = hashes.map((hash) => [hash]);
  const receipts = await endpoint.requestBatch("eth_getTransactionReceipt", calls, { signal });
  // The node dropped the block between the two calls, or has not indexed it yet.
  if (receipts.includes(null)) throw notFound(endpoint, wanted);
  return receipts;
}

function notFound(endpoint: Endpoint, { number, hash }: WantedBlock): BlockNotFoundError {
  const which = hash === null ? `block ${number}` : `block ${number} with hash ${hash}`;
  return new BlockNotFoundError(`${endpoint.name} does not have ${which}`, {
    endpoint: endpoint.name,
    block: number,
  });
}
