// What JavaScript and the WebAssembly of the direct way tell each other in numbers. Both sides follow from these lists.

/**
 * What can be proven of a block. In this order; the names are stored with it, so they
 * never change their meaning.
 *
 * Cheap:
 * - `indexes`: transactions and logs are numbered from 0 without gaps, each log names its transaction
 * - `gas`: cumulative gas is the running sum, and ends at the header's gas used
 * - `logsBloom`: the receipts' and the header's blooms follow from the logs
 *
 * Roots:
 * - `hash`: the block's hash follows from its header
 * - `uncles`: no uncles exactly where sha3Uncles says so (uncle headers are not fetched)
 * - `transactionHashes`: each transaction's hash follows from its fields, and no field that its hash
 *   does not cover contradicts it
 * - `transactionsRoot`, `receiptsRoot`, `withdrawalsRoot`
 * - `blobGas`: blob gas used follows from the blobs (EIP-4844)
 * - `prices`: gas price and effective gas price follow from the fees and the base fee (EIP-1559)
 * - `contractAddresses`: created contracts' addresses follow from sender and nonce
 *
 * On request:
 * - `senders`: each `from` is who signed
 */
export const CHEAP_CHECKS = ["indexes", "gas", "logsBloom"] as const;

export const ROOT_CHECKS = [
  "hash",
  "uncles",
  "transactionHashes",
  "transactionsRoot",
  "receiptsRoot",
  "withdrawalsRoot",
  "blobGas",
  "prices",
  "contractAddresses",
] as const;

export const CHECKS = [...CHEAP_CHECKS, ...ROOT_CHECKS, "senders"] as const;

export type Check = (typeof CHECKS)[number];

/** The bit that asks the direct way for a check. */
export function checkBit(check: Check): number {
  return 1 << CHECKS.indexOf(check);
}

/** Why the direct way leaves a block, from 1; 0 is what was not foreseen. */
export const REASONS = ["syntax", "field", "value", "place", "proof", "tooLarge"] as const;

/** What the module leaves for JavaScript: a number of 64 bits, or where something lies in its memory. */
const results = {
  number: "f64",
  timestamp: "f64",
  /** -1: the header has none. */
  excessBlobGas: "f64",
  hash: "u32",
  parentHash: "u32",
} as const;

/** The tables in the order in which their rows are written, one table's behind those of the one before. */
export const WRITTEN_TABLES = ["transactions", "logs", "withdrawals", "tokenTransfers", "blocks"] as const;

export type WrittenTable = (typeof WRITTEN_TABLES)[number];

export type ResultName =
  | keyof typeof results
  /** Where a table's rows begin, and how many they are. */
  | `${WrittenTable}From`
  | `${WrittenTable}Count`
  /** Where the last table's rows end. */
  | "end";

/** Bytes from the start of the result to each of its values. */
export const RESULT_OFFSETS: Readonly<Record<ResultName, number>> = offsets();

function offsets(): Record<ResultName, number> {
  const names: [ResultName, "f64" | "u32"][] = [
    ...(Object.entries(results) as [keyof typeof results, "f64" | "u32"][]),
    ...WRITTEN_TABLES.flatMap((table): [ResultName, "u32"][] => [
      [`${table}From`, "u32"],
      [`${table}Count`, "u32"],
    ]),
    ["end", "u32"],
  ];
  let at = 0;
  const placed = names.map(([name, type]) => {
    const offset = at;
    at += type === "f64" ? 8 : 4;
    return [name, offset];
  });
  return Object.fromEntries(placed);
}
