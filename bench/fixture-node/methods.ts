// The JSON-RPC methods, answered from a view of the chain.
import type { Body, StoredBlock } from "./chain.js";
import { falseBlock, falseNumber } from "./false-head.js";
import { quantity } from "./hex.js";
import type { Json } from "./protocol.js";
import type { View } from "./view.js";

/** JSON bytes, or an error. */
export type Answer = Buffer | { code: number; message: string };

const TAGS = ["latest", "safe", "finalized", "earliest", "pending"];
const HASH = /^0x[0-9a-f]{64}$/i;
const QUANTITY = /^0x(0|[1-9a-f][0-9a-f]*)$/i;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const NULL = Buffer.from("null");

export function answerMethod(
  view: View,
  { method, params, lacks }: { method: string; params: readonly unknown[]; lacks: readonly string[] },
): Answer {
  const handler = METHODS[method];
  if (!handler || lacks.includes(method)) {
    return { code: METHOD_NOT_FOUND, message: `the method ${method} does not exist/is not available` };
  }
  const tag = params.find((param) => typeof param === "string" && lacks.includes(param));
  if (tag) return { code: -32000, message: `'${String(tag)}' tag not supported on pre-merge network` };
  try {
    return handler(view, params);
  } catch (error) {
    return { code: INVALID_PARAMS, message: error instanceof Error ? error.message : String(error) };
  }
}

/** The block that a call is about, if it is about one that the view knows. */
export function blockAskedFor(view: View, params: readonly unknown[]): StoredBlock | undefined {
  try {
    return blockOf(view, params[0]);
  } catch {
    return undefined;
  }
}

/** Which body of a block answers the call; undefined: the method does not answer with one. */
export function bodyAskedFor(method: string, params: readonly unknown[]): Body | undefined {
  if (method === "eth_getBlockReceipts") return "receipts";
  if (method !== "eth_getBlockByNumber" && method !== "eth_getBlockByHash") return undefined;
  return params[1] === true ? "full" : "hashesOnly";
}

/** The header as newHeads pushes it. */
export function newHead(block: StoredBlock): Json {
  const { transactions, uncles, size, withdrawals, totalDifficulty, ...header } = parseJson(
    block.read("hashesOnly"),
  ) as Json;
  return header;
}

export function parseJson(bytes: Buffer): unknown {
  return JSON.parse(bytes.toString());
}

const METHODS: Record<string, (view: View, params: readonly unknown[]) => Answer> = {
  eth_chainId: (view) => json(quantity(view.chainId)),
  net_version: (view) => json(String(view.chainId)),
  web3_clientVersion: () => json("blockmill-fixture/1.0.0"),
  eth_syncing: () => json(false),
  eth_blockNumber: (view) => json(quantity(view.falseHead ?? view.head)),
  eth_getBlockByNumber: (view, params) => {
    const made = madeUp(view, params[0]);
    if (made !== undefined) return json(made);
    if (HASH.test(String(params[0]))) throw new TypeError("hex number > 64 bits");
    return body(blockOf(view, params[0]), bodyAskedFor("eth_getBlockByNumber", params));
  },
  eth_getBlockByHash: (view, params) => {
    const made = madeUp(view, params[0]);
    if (made !== undefined) return json(made);
    if (!HASH.test(String(params[0]))) throw new TypeError("invalid block hash");
    return body(blockOf(view, params[0]), bodyAskedFor("eth_getBlockByHash", params));
  },
  eth_getBlockReceipts: (view, params) => body(blockOf(view, params[0]), "receipts"),
  eth_getTransactionByHash: (view, [hash]) => {
    const block = blockOfTransaction(view, String(hash).toLowerCase());
    if (!block) return NULL;
    const { transactions } = parseJson(block.read("full")) as { transactions: Json[] };
    return json(transactions.find((each) => each.hash === String(hash).toLowerCase()) ?? null);
  },
  eth_getTransactionReceipt: (view, [hash]) => {
    const block = blockOfTransaction(view, String(hash).toLowerCase());
    if (!block) return NULL;
    const receipts = parseJson(block.read("receipts")) as Json[];
    return json(
      receipts.find(({ transactionHash }) => transactionHash === String(hash).toLowerCase()) ?? null,
    );
  },
  eth_getLogs: (view, [filter]) => json(logs(view, asRecord(filter))),
};

/** A block that this endpoint makes up. */
function madeUp(view: View, param: unknown): Json | undefined {
  const top = view.falseHead;
  const model = top === undefined ? undefined : view.at("latest");
  if (top === undefined || model === undefined) return undefined;
  const number =
    param === "latest" ? top : HASH.test(String(param)) ? falseNumber(top, String(param)) : Number(param);
  return number === undefined
    ? undefined
    : falseBlock(parseJson(model.read("hashesOnly")) as Json, top, number);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function body(block: StoredBlock | undefined, name: Body | undefined): Buffer {
  return block && name ? block.read(name) : NULL;
}

/** By number, tag, hash, {blockNumber} or {blockHash} (EIP-1898). */
function blockOf(view: View, param: unknown): StoredBlock | undefined {
  if (typeof param === "object" && param !== null) {
    const { blockHash, blockNumber } = asRecord(param);
    return blockOf(view, blockHash ?? blockNumber);
  }
  if (typeof param !== "string") throw new TypeError("missing value for required argument 0");
  if (TAGS.includes(param)) return view.at(param);
  if (HASH.test(param)) return view.byHash(param.toLowerCase());
  if (!QUANTITY.test(param)) throw new TypeError(`invalid argument 0: ${param.slice(0, 80)}`);
  return view.at(Number(param));
}

/** Looked for in the last 2,000 blocks: the fixture keeps no index of transactions. */
function blockOfTransaction(view: View, hash: string): StoredBlock | undefined {
  const text = Buffer.from(`"${hash}"`);
  if (!HASH.test(hash)) throw new TypeError("invalid transaction hash");
  for (let number = view.head, left = 2_000; left > 0; number -= 1, left -= 1) {
    const block = view.at(number);
    if (!block) return undefined;
    if (block.read("hashesOnly").includes(text)) return block;
  }
  return undefined;
}

function logs(view: View, filter: Json): Json[] {
  const from = blockOf(view, filter.blockHash ?? filter.fromBlock ?? "latest");
  const to = filter.blockHash ? from : blockOf(view, filter.toBlock ?? "latest");
  if (!from) throw new TypeError("unknown block");
  const blocks = from === to ? [from] : range(view, from.number, to?.number ?? view.head);
  return blocks
    .flatMap((block) => parseJson(block.read("receipts")) as { logs: Json[] }[])
    .flatMap((receipt) => receipt.logs)
    .filter((log) => matches(log, filter));
}

function range(view: View, from: number, to: number): StoredBlock[] {
  const numbers = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  return numbers.flatMap((number) => view.at(number) ?? []);
}

function matches(log: Json, { address, topics }: Json): boolean {
  if (address && !oneOf(address, log.address)) return false;
  if (!Array.isArray(topics)) return true;
  const own = Array.isArray(log.topics) ? log.topics : [];
  return topics.every((wanted, i) => wanted === null || oneOf(wanted, own[i]));
}

function oneOf(wanted: unknown, value: unknown): boolean {
  const list: unknown[] = Array.isArray(wanted) ? wanted : [wanted];
  return list.some((item) => String(item).toLowerCase() === value);
}

function asRecord(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}
