import { createHash } from "node:crypto";
import type { Block, Hex, Log, Transaction } from "../../src/block.js";
import { blankHeader, blankLog } from "../support/blank-fields.js";
import { sealed } from "./reseal.js";

export interface MadeBlockOptions {
  transactions: number;
  logsPerTransaction: number;
  withdrawals: number;
  /** Makes another block of the same shape. */
  salt: number;
  /** That its transactions were signed for. Ethereum's unless stated. */
  chainId?: number;
}

/**
 * A block like a busy one of Ethereum, that proves under `roots` without senders: nothing is signed.
 * Most transactions call one of 40 contracts with a few words, a few with much; logs repeat contracts,
 * events and people, as real ones do.
 */
export async function madeBlock(options: MadeBlockOptions): Promise<Block> {
  const { salt, chainId = 1 } = options;
  const bytes = (length: number, ...words: (string | number)[]) => bytesOf(length, salt, ...words);
  let logIndex = 0;
  const transactions = Array.from({ length: options.transactions }, (_, index): Transaction => {
    const feeMarket = index % 5 !== 0;
    const logs = Array.from({ length: options.logsPerTransaction }, (_, n): Log => {
      const place = logIndex;
      logIndex += 1;
      return {
        ...blankLog,
        logIndex: place,
        transactionIndex: index,
        transactionHash: "0x",
        // Contracts and events are the same in every block, whatever the salt.
        address: bytesOf(20, "contract", (index * 7 + n) % 40),
        topics: [
          bytesOf(32, "event", n % 8),
          `0x${"00".repeat(12)}${bytes(20, "person", (index * 3) % 150).slice(2)}`,
          `0x${"00".repeat(12)}${bytes(20, "person", (index * 5 + n) % 150).slice(2)}`,
        ],
        data: bytes(n % 4 === 3 ? 160 : 32, "data", place),
      };
    });
    return {
      transactionIndex: index,
      hash: "0x",
      type: feeMarket ? 2 : 0,
      from: bytes(20, "person", (index * 3) % 150),
      to: bytesOf(20, "contract", index % 40),
      nonce: `0x${(index * 31 + 1).toString(16)}`,
      value: index % 3 === 0 ? "0x16345785d8a0000" : "0x0",
      gas: "0x493e0",
      gasPrice: "0x2540be400",
      maxFeePerGas: feeMarket ? "0x2540be400" : null,
      maxPriorityFeePerGas: feeMarket ? "0x2540be400" : null,
      input: bytes(index % 20 === 0 ? 2_500 : 4 + 32 * (index % 12), "input", index),
      accessList: feeMarket ? [] : null,
      chainId: `0x${chainId.toString(16)}`,
      maxFeePerBlobGas: null,
      blobVersionedHashes: null,
      authorizationList: null,
      r: `0x1${bytes(31, "r", index).slice(2)}`,
      s: `0x2${bytes(31, "s", index).slice(2)}`,
      v: feeMarket ? "0x1" : `0x${(35 + 2 * chainId).toString(16)}`,
      yParity: feeMarket ? 1 : null,
      extra: null,
      receipt: {
        from: null,
        to: null,
        type: null,
        status: 1,
        root: null,
        gasUsed: "0x186a0",
        cumulativeGasUsed: `0x${((index + 1) * 100_000).toString(16)}`,
        effectiveGasPrice: "0x2540be400",
        contractAddress: null,
        blobGasUsed: null,
        blobGasPrice: null,
        logsBloom: "0x",
        logs,
        extra: null,
      },
    };
  });
  return await sealed({
    header: {
      ...blankHeader,
      number: 20_000_000 + salt,
      hash: "0x",
      parentHash: bytes(32, "parent"),
      timestamp: 1_717_281_407,
      miner: bytes(20, "miner"),
      gasLimit: "0x1c9c380",
      gasUsed: `0x${(options.transactions * 100_000).toString(16)}`,
      baseFeePerGas: "0x12a05f200",
      difficulty: "0x0",
      totalDifficulty: null,
      size: null,
      extraData: "0x6265617665726275696c642e6f7267",
      logsBloom: "0x",
      stateRoot: bytes(32, "state"),
      transactionsRoot: "0x",
      receiptsRoot: "0x",
      sha3Uncles: "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
      uncles: [],
      nonce: "0x0000000000000000",
      mixHash: bytes(32, "mix"),
      withdrawalsRoot: "0x",
      blobGasUsed: "0x0",
      excessBlobGas: "0x0",
      parentBeaconBlockRoot: bytes(32, "beacon"),
      requestsHash: null,
      extra: null,
    },
    transactions,
    withdrawals: Array.from({ length: options.withdrawals }, (_, index) => ({
      index: `0x${(45_000_000 + index).toString(16)}`,
      validatorIndex: `0x${(900_000 + index).toString(16)}`,
      address: bytes(20, "person", index % 4),
      amount: "0x11e1a300",
    })),
  });
}

/** Bytes that are always the same for the same words. */
function bytesOf(length: number, ...words: (string | number)[]): Hex {
  return `0x${createHash("shake256", { outputLength: length }).update(words.join("/")).digest("hex")}`;
}
