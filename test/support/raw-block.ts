// A block and its receipts as a node would send them. Plausible and consistent, but not real: hashes
// and roots are made up, and nothing is signed.

import { createHash } from "node:crypto";

export type RawObject = Record<string, unknown>;

export interface RawBlock {
  block: RawObject;
  receipts: RawObject[];
}

export interface RawBlockOptions {
  number: number;
  /** The type of each transaction; 0x7e and its like get the fields of another chain. */
  transactions?: number[];
  /** For each transaction. They take turns through every token standard and what is none. */
  logsPerTransaction?: number;
  withdrawals?: number;
  /** What the fork of the time adds. */
  fork?: "frontier" | "byzantium" | "london" | "prague";
  /** Makes another block of the same number. */
  salt?: string;
  /** Bytes of call data. */
  inputBytes?: number;
  parentHash?: string;
  timestamp?: number;
}

/** An address, a hash or any other number of bytes, always the same for the same words. */
export function fakeHex(bytes: number, ...words: (string | number)[]): string {
  let hex = "";
  for (let part = 0; hex.length < bytes * 2; part += 1) {
    hex += createHash("sha256")
      .update([part, ...words].join("/"))
      .digest("hex");
  }
  return `0x${hex.slice(0, bytes * 2)}`;
}

export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

export function rawBlock(options: RawBlockOptions): RawBlock {
  const { number, transactions = [], salt = "", fork = "prague" } = options;
  const { logsPerTransaction = 0, inputBytes = 100 } = options;
  const hash = fakeHex(32, "block", salt, number);
  const place = { blockHash: hash, blockNumber: quantity(number) };
  const raw = transactions.map((type, index) =>
    rawTransaction({ type, index, number, salt, inputBytes, fork, place }),
  );
  let logIndex = 0;
  const receipts = raw.map((transaction, index) => {
    const logs = Array.from({ length: logsPerTransaction }, () => {
      const log = rawLog({ logIndex, transactionHash: String(transaction.hash), index, place, salt });
      logIndex += 1;
      return log;
    });
    return rawReceipt({ transaction, index, logs, fork, place });
  });
  return { block: rawHeader(options, { hash, transactions: raw }), receipts };
}

function rawHeader(options: RawBlockOptions, block: { hash: string; transactions: RawObject[] }): RawObject {
  const { number, salt = "", fork = "prague", withdrawals } = options;
  const at = (bytes: number, name: string) => fakeHex(bytes, name, salt, number);
  return {
    number: quantity(number),
    hash: block.hash,
    parentHash: options.parentHash ?? fakeHex(32, "block", salt, number - 1),
    timestamp: quantity(options.timestamp ?? 1_700_000_000 + number * 12),
    miner: at(20, "miner"),
    gasLimit: "0x1c9c380",
    gasUsed: quantity(21_000 * block.transactions.length),
    difficulty: fork === "prague" ? "0x0" : "0x3ff800000",
    extraData: "0x626c6f636b6d696c6c",
    logsBloom: at(256, "bloom"),
    stateRoot: at(32, "state"),
    transactionsRoot: at(32, "transactions"),
    receiptsRoot: at(32, "receipts"),
    sha3Uncles: at(32, "sha3Uncles"),
    uncles: fork === "prague" ? [] : [at(32, "uncle 0"), at(32, "uncle 1")],
    nonce: "0x0000000000000042",
    mixHash: at(32, "mix"),
    size: "0x220",
    ...(fork === "prague" ? {} : { totalDifficulty: "0xc70d815d562d3cfa955" }),
    ...(fork === "london" || fork === "prague" ? { baseFeePerGas: "0x3b9aca07" } : {}),
    ...(fork === "prague"
      ? {
          withdrawalsRoot: at(32, "withdrawals"),
          blobGasUsed: "0x20000",
          excessBlobGas: "0x4b80000",
          parentBeaconBlockRoot: at(32, "beacon"),
          requestsHash: at(32, "requests"),
          withdrawals: Array.from({ length: withdrawals ?? 0 }, (_, index) => ({
            index: quantity(number * 16 + index),
            validatorIndex: quantity(900_000 + index),
            address: fakeHex(20, "validator", index),
            amount: quantity(17_000_000 + index),
          })),
        }
      : {}),
    transactions: block.transactions,
  };
}

interface TransactionPlace {
  type: number;
  index: number;
  number: number;
  salt: string;
  inputBytes: number;
  fork: RawBlockOptions["fork"];
  place: RawObject;
}

function rawTransaction({ type, index, number, salt, inputBytes, fork, place }: TransactionPlace): RawObject {
  const at = (bytes: number, name: string) => fakeHex(bytes, name, salt, number, index);
  const createsContract = index % 10 === 9 && type < 3;
  const feeMarket = {
    maxFeePerGas: "0x77359400",
    maxPriorityFeePerGas: "0x3b9aca00",
    gasPrice: "0x3b9aca07",
  };
  const accessList = [
    { address: at(20, "listed"), storageKeys: [at(32, "key 0"), at(32, "key 1")] },
    { address: at(20, "also listed"), storageKeys: [] },
  ];
  const typed = { chainId: "0x1", yParity: quantity(index % 2), v: quantity(index % 2), accessList };
  const byType: Record<number, RawObject> = {
    0: { gasPrice: "0x4a817c800", v: "0x25", ...(fork === "frontier" ? {} : { chainId: "0x1" }) },
    1: { gasPrice: "0x4a817c800", ...typed },
    2: { ...feeMarket, ...typed, accessList: [] },
    3: {
      ...feeMarket,
      ...typed,
      maxFeePerBlobGas: "0x1",
      blobVersionedHashes: [`0x01${at(31, "blob 0").slice(2)}`, `0x01${at(31, "blob 1").slice(2)}`],
    },
    4: {
      ...feeMarket,
      ...typed,
      authorizationList: [
        {
          chainId: "0x1",
          address: at(20, "delegate"),
          nonce: "0x7",
          yParity: "0x1",
          r: at(32, "authorization r"),
          s: at(32, "authorization s"),
        },
      ],
    },
    126: {
      gasPrice: "0x0",
      v: "0x0",
      sourceHash: at(32, "source"),
      mint: "0xde0b6b3a7640000",
      isSystemTx: false,
    },
  };
  return {
    ...place,
    ...(byType[type] ?? byType[126]),
    transactionIndex: quantity(index),
    hash: at(32, "transaction"),
    type: quantity(type),
    from: at(20, "from"),
    to: createsContract ? null : at(20, "to"),
    nonce: quantity(index * 3),
    value: quantity(10n ** BigInt(index % 25)),
    gas: "0x5208",
    input: inputBytes === 0 || index % 3 === 2 ? "0x" : at(inputBytes, "input"),
    r: type >= 100 ? "0x0" : `0x5${at(32, "r").slice(3)}`,
    // A signature's numbers may begin with zeros, which a quantity does not show.
    s: type >= 100 ? "0x0" : `0x7${at(31, "s").slice(3)}`,
  };
}

interface ReceiptPlace {
  transaction: RawObject;
  index: number;
  logs: RawObject[];
  fork: RawBlockOptions["fork"];
  place: RawObject;
}

function rawReceipt({ transaction, index, logs, fork, place }: ReceiptPlace): RawObject {
  const { hash, from, to, type, gasPrice } = transaction;
  return {
    ...place,
    transactionHash: hash,
    transactionIndex: quantity(index),
    from,
    to,
    type,
    gasUsed: "0x5208",
    cumulativeGasUsed: quantity(21_000 * (index + 1)),
    effectiveGasPrice: gasPrice,
    contractAddress: to === null ? fakeHex(20, "contract", String(hash)) : null,
    logsBloom: fakeHex(256, "bloom", String(hash)),
    logs,
    ...(fork === "frontier"
      ? { root: fakeHex(32, "root", String(hash)) }
      : { status: index % 7 === 6 ? "0x0" : "0x1" }),
    ...(type === "0x3" ? { blobGasUsed: "0x40000", blobGasPrice: "0x2" } : {}),
    ...(Number(type) >= 100 ? { l1Fee: "0x1bc16d674ec80000", l1FeeScalar: "0.684" } : {}),
  };
}

interface LogPlace {
  logIndex: number;
  transactionHash: string;
  index: number;
  place: RawObject;
  salt: string;
}

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const TRANSFER_SINGLE = "0xc3d58168c5ae7397731d063d5bbf3d657854427343f4c083240f7aacaa2d0f62";
const TRANSFER_BATCH = "0x4a39dc06d4c0dbc64b70af90fd698a233a518aa5d07e595d983b8c0526c8f7fb";

function rawLog({ logIndex, transactionHash, index, place, salt }: LogPlace): RawObject {
  const who = (name: string) => `0x${"00".repeat(12)}${fakeHex(20, name, salt, logIndex).slice(2)}`;
  const [operator, from, to] = [who("operator"), who("from"), who("to")];
  const shapes: [topics: string[], data: string][] = [
    [[TRANSFER, from, to], words(10n ** 18n + BigInt(logIndex))],
    [[TRANSFER, from, to, `0x${words(BigInt(logIndex)).slice(2)}`], "0x"],
    [[TRANSFER_SINGLE, operator, from, to], words(7n, 2n ** 255n)],
    [[TRANSFER_BATCH, operator, from, to], words(64n, 160n, 2n, 1n, 2n, 2n, 10n, 20n)],
    [[fakeHex(32, "event")], fakeHex(96, "data", salt, logIndex)],
    [[], "0x01"],
  ];
  const [topics, data] = shapes[logIndex % shapes.length] ?? [[], "0x"];
  return {
    ...place,
    address: fakeHex(20, "emitter", logIndex % 20),
    topics,
    data,
    transactionHash,
    transactionIndex: quantity(index),
    logIndex: quantity(logIndex),
    removed: false,
  };
}

function words(...values: bigint[]): string {
  return `0x${values.map((value) => value.toString(16).padStart(64, "0")).join("")}`;
}
