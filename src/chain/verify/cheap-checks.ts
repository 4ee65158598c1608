import { BLOOM_BYTES, EMPTY_BLOOM } from "./bloom.js";
import { type Proof, wrong } from "./proof.js";

/** Transactions and logs are numbered from 0 without gaps; each log names the transaction it is in. */
export function checkIndexes(proof: Proof): void {
  let nextLog = 0;
  for (const [index, { transactionIndex, hash, receipt }] of proof.block.transactions.entries()) {
    if (transactionIndex !== index) {
      throw wrong(proof, `transactions[${index}].transactionIndex`, index, transactionIndex);
    }
    for (const [place, log] of receipt.logs.entries()) {
      const at = () => `receipts[${index}].logs[${place}]`;
      if (log.logIndex !== nextLog) throw wrong(proof, `${at()}.logIndex`, nextLog, log.logIndex);
      if (log.transactionIndex !== index) {
        throw wrong(proof, `${at()}.transactionIndex`, index, log.transactionIndex);
      }
      if (log.transactionHash !== hash)
        throw wrong(proof, `${at()}.transactionHash`, hash, log.transactionHash);
      nextLog += 1;
    }
  }
}

/** Cumulative gas is the running sum of the gas used, and ends at the header's. */
export function checkGas(proof: Proof): void {
  let sum = 0n;
  for (const [index, { receipt }] of proof.covered.entries()) {
    sum += BigInt(receipt.gasUsed);
    if (BigInt(receipt.cumulativeGasUsed) !== sum) {
      throw wrong(proof, `receipts[${index}].cumulativeGasUsed`, hexOf(sum), receipt.cumulativeGasUsed);
    }
  }
  const { gasUsed } = proof.block.header;
  if (BigInt(gasUsed) !== sum) throw wrong(proof, "gasUsed", hexOf(sum), gasUsed);
}

/** Each receipt's bloom follows from its logs, and the header's from all of them. */
export function checkBlooms(proof: Proof): void {
  const filter = Buffer.alloc(BLOOM_BYTES);
  const all = Buffer.alloc(BLOOM_BYTES);
  for (const [index, { receipt }] of proof.covered.entries()) {
    const expected = receipt.logs.length === 0 ? EMPTY_BLOOM : bloomOf(receipt.logs);
    if (receipt.logsBloom !== expected) {
      throw wrong(proof, `receipts[${index}].logsBloom`, expected, receipt.logsBloom);
    }
  }
  const expected = `0x${all.toString("hex")}`;
  const { logsBloom } = proof.block.header;
  if (logsBloom !== expected) throw wrong(proof, "logsBloom", expected, logsBloom);

  function bloomOf(logs: Parameters<typeof proof.blooms.add>[0]): string {
    filter.fill(0);
    proof.blooms.add(logs, filter, all);
    return `0x${filter.toString("hex")}`;
  }
}

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}
