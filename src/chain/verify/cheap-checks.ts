import type { Log, Quantity, Receipt, Transaction } from "../../block.js";
import { BLOOM_BYTES, EMPTY_BLOOM } from "./bloom.js";
import { derive, type Proof, provesReceipts, wrong } from "./proof.js";

/**
 * Transactions and logs are numbered from 0 without gaps; each log names the transaction it is in. Where the receipts' root
 * proves the logs, or where they are numbered from 0 in each transaction, their numbers are derived.
 */
export function checkIndexes(proof: Proof): void {
  const isDerived =
    proof.onDerived !== null && (provesReceipts(proof) || startsAnew(proof.block.transactions));
  let nextLog = 0;
  for (const [index, { transactionIndex, hash, receipt }] of proof.block.transactions.entries()) {
    if (transactionIndex !== index) {
      throw wrong(proof, `transactions[${index}].transactionIndex`, index, transactionIndex);
    }
    for (const [place, log] of receipt.logs.entries()) {
      const at = () => `receipts[${index}].logs[${place}]`;
      if (isDerived) derive(proof, log, { name: "logIndex", value: nextLog, path: at });
      else if (log.logIndex !== nextLog) throw wrong(proof, `${at()}.logIndex`, nextLog, log.logIndex);
      if (log.transactionIndex !== index) {
        throw wrong(proof, `${at()}.transactionIndex`, index, log.transactionIndex);
      }
      if (log.transactionHash !== hash)
        throw wrong(proof, `${at()}.transactionHash`, hash, log.transactionHash);
      nextLog += 1;
    }
  }
}

/** Whether each transaction's logs are numbered from 0, without gaps. */
function startsAnew(transactions: readonly Transaction[]): boolean {
  return transactions.every(({ receipt }) => receipt.logs.every(({ logIndex }, place) => logIndex === place));
}

/**
 * Cumulative gas is the running sum of the gas used, and ends at the header's. The receipts' root covers the sums, so
 * where it is proven what each transaction used follows from them; where one of both is not told, from the other.
 */
export function checkGas(proof: Proof): void {
  let sum = 0n;
  for (const [index, { receipt }] of proof.covered.entries()) {
    const path = () => `receipts[${index}]`;
    deriveGas(proof, receipt, { before: sum, path });
    sum += BigInt(receipt.gasUsed ?? 0);
    if (receipt.gasUsed === null || BigInt(receipt.cumulativeGasUsed ?? -1) !== sum) {
      throw wrong(proof, `${path()}.cumulativeGasUsed`, hexOf(sum), receipt.cumulativeGasUsed);
    }
  }
  const { gasUsed } = proof.block.header;
  if (gasUsed === null || BigInt(gasUsed) !== sum) throw wrong(proof, "gasUsed", hexOf(sum), gasUsed);
}

function deriveGas(
  proof: Proof,
  receipt: Receipt,
  { before, path }: { before: bigint; path: () => string },
): void {
  if (proof.onDerived === null) return;
  const { gasUsed, cumulativeGasUsed: told } = receipt;
  if (told === null) {
    if (gasUsed === null) return;
    derive(proof, receipt, { name: "cumulativeGasUsed", value: hexOf(before + BigInt(gasUsed)), path });
  } else if ((gasUsed === null || provesReceipts(proof)) && BigInt(told) >= before) {
    derive(proof, receipt, { name: "gasUsed", value: hexOf(BigInt(told) - before), path });
  }
}

/** Each receipt's bloom follows from its logs, and the header's from all of them. */
export function checkBlooms(proof: Proof): void {
  const filter = Buffer.alloc(BLOOM_BYTES);
  const all = Buffer.alloc(BLOOM_BYTES);
  const isProven = provesReceipts(proof);
  for (const [index, { receipt }] of proof.covered.entries()) {
    const expected = receipt.logs.length === 0 ? EMPTY_BLOOM : bloomOf(receipt.logs);
    if (receipt.logsBloom === null || isProven) {
      derive(proof, receipt, { name: "logsBloom", value: expected, path: () => `receipts[${index}]` });
    } else if (receipt.logsBloom !== expected) {
      throw wrong(proof, `receipts[${index}].logsBloom`, expected, receipt.logsBloom);
    }
  }
  const expected = `0x${all.toString("hex")}`;
  const { logsBloom } = proof.block.header;
  if (logsBloom !== expected) throw wrong(proof, "logsBloom", expected, logsBloom);

  function bloomOf(logs: readonly Log[]): `0x${string}` {
    filter.fill(0);
    proof.blooms.add(logs, filter, all);
    return `0x${filter.toString("hex")}`;
  }
}

function hexOf(value: bigint): Quantity {
  return `0x${value.toString(16)}`;
}
