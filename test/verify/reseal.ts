// Roots and hashes of a block as other people's libraries compute them: @ethereumjs for RLP and tries,
// noble for Keccak, viem for the encoding of transactions. Slow, and nothing in it is ours.

import { createMPT } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { serializeTransaction, type TransactionSerializable } from "viem";
import type { Block, Header, Hex, Quantity, Transaction } from "../../src/block.js";

/** The block with the roots of its transactions and withdrawals, and its hash, computed anew. */
export async function resealed(block: Block): Promise<Block> {
  const header = {
    ...block.header,
    transactionsRoot: await rootOf(block.transactions.map(serialized)),
    withdrawalsRoot: block.withdrawals === null ? null : await withdrawalsRoot(block.withdrawals),
  };
  return { ...block, header: { ...header, hash: hashOf(header) } };
}

/**
 * A block that nobody mined, made whole: also the transactions' hashes, the blooms and the root of the
 * receipts follow from what is in it.
 */
export async function sealed(block: Block): Promise<Block> {
  const all = new Uint8Array(256);
  const transactions = block.transactions.map((transaction) => {
    const hash = hexOf(keccak_256(serialized(transaction)));
    const logs = transaction.receipt.logs.map((log) => ({ ...log, transactionHash: hash }));
    const filter = new Uint8Array(256);
    for (const { address, topics } of logs) {
      for (const entry of [address, ...topics]) {
        addToBloom(filter, entry);
        addToBloom(all, entry);
      }
    }
    return { ...transaction, hash, receipt: { ...transaction.receipt, logs, logsBloom: hexOf(filter) } };
  });
  const receiptsRoot = await rootOf(transactions.map(serializedReceipt));
  return await resealed({
    ...block,
    transactions,
    header: { ...block.header, logsBloom: hexOf(all), receiptsRoot },
  });
}

export async function rootOf(values: readonly Uint8Array[]): Promise<Hex> {
  const trie = await createMPT();
  for (const [index, value] of values.entries()) await trie.put(RLP.encode(index), value);
  return hexOf(trie.root());
}

function hashOf(header: Header): Hex {
  const fields = [
    header.parentHash,
    header.sha3Uncles,
    header.miner,
    header.stateRoot,
    header.transactionsRoot,
    header.receiptsRoot,
    header.logsBloom,
    BigInt(header.difficulty ?? 0),
    header.number,
    BigInt(header.gasLimit ?? 0),
    BigInt(header.gasUsed ?? 0),
    header.timestamp,
    header.extraData,
    header.mixHash,
    header.nonce,
    bigintOf(header.baseFeePerGas),
    header.withdrawalsRoot,
    bigintOf(header.blobGasUsed),
    bigintOf(header.excessBlobGas),
    header.parentBeaconBlockRoot,
    header.requestsHash,
  ];
  return hexOf(keccak_256(RLP.encode(fields.filter((field) => field !== null))));
}

async function withdrawalsRoot(withdrawals: NonNullable<Block["withdrawals"]>): Promise<Hex> {
  return await rootOf(
    withdrawals.map(({ index, validatorIndex, address, amount }) =>
      RLP.encode([BigInt(index), BigInt(validatorIndex), address, BigInt(amount)]),
    ),
  );
}

const TYPES = ["legacy", "eip2930", "eip1559", "eip4844", "eip7702"];

function serialized(transaction: Transaction): Uint8Array {
  const { type, r, s, v, yParity } = transaction;
  const fields = {
    type: TYPES[type],
    chainId: type === 0 && BigInt(v ?? 0) < 35n ? undefined : Number(transaction.chainId),
    nonce: Number(transaction.nonce),
    gas: BigInt(transaction.gas ?? 0),
    to: transaction.to,
    value: BigInt(transaction.value ?? 0),
    data: transaction.input,
    ...(type < 2
      ? { gasPrice: BigInt(transaction.gasPrice ?? 0) }
      : {
          maxFeePerGas: BigInt(transaction.maxFeePerGas ?? 0),
          maxPriorityFeePerGas: BigInt(transaction.maxPriorityFeePerGas ?? 0),
        }),
    ...(type > 0 && { accessList: transaction.accessList ?? [] }),
    ...(type === 3 && {
      maxFeePerBlobGas: BigInt(transaction.maxFeePerBlobGas ?? 0),
      blobVersionedHashes: transaction.blobVersionedHashes,
      sidecars: false,
    }),
    ...(type === 4 && {
      authorizationList: transaction.authorizationList?.map((authorization) => ({
        address: authorization.address,
        chainId: Number(authorization.chainId),
        nonce: Number(authorization.nonce),
        r: padded(authorization.r),
        s: padded(authorization.s),
        yParity: Number(authorization.yParity),
      })),
    }),
  };
  const signature = {
    r: padded(r),
    s: padded(s),
    ...(type === 0 ? { v: BigInt(v ?? 0) } : { yParity: yParity ?? 0 }),
  };
  const hex = serializeTransaction(
    fields as unknown as TransactionSerializable,
    signature as Parameters<typeof serializeTransaction>[1],
  );
  return Buffer.from(hex.slice(2), "hex");
}

function serializedReceipt({ type, receipt }: Transaction): Uint8Array {
  const { status, root, cumulativeGasUsed, logsBloom, logs } = receipt;
  const fields = RLP.encode([
    status ?? root,
    BigInt(cumulativeGasUsed ?? 0),
    logsBloom,
    logs.map(({ address, topics, data }) => [address, topics, data]),
  ]);
  return type === 0 ? fields : Uint8Array.from([type, ...fields]);
}

/** Yellow paper, section 4.3.1. */
function addToBloom(filter: Uint8Array, entry: Hex): void {
  const hash = keccak_256(Buffer.from(entry.slice(2), "hex"));
  for (const at of [0, 2, 4]) {
    const bit = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047;
    const byte = 255 - (bit >> 3);
    filter[byte] = (filter[byte] ?? 0) | (1 << (bit & 7));
  }
}

function bigintOf(quantity: Quantity | null): bigint | null {
  return quantity === null ? null : BigInt(quantity);
}

function padded(quantity: Quantity | null): Hex {
  return `0x${(quantity ?? "0x0").slice(2).padStart(64, "0")}`;
}

function hexOf(bytes: Uint8Array): Hex {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}
