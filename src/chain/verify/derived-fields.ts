import type { Hex, Quantity, Transaction } from "../../block.js";
import { hasField, isSigned } from "../../fields/transaction-types.js";
import { type Proof, wrong } from "./proof.js";
import type { RlpWriter } from "./rlp.js";

/** Gas of one blob (EIP-4844, GAS_PER_BLOB). */
const BLOB_GAS = 131_072n;

/** Blob gas used follows from the blobs, in each receipt and in the header. */
export function checkBlobGas(proof: Proof): void {
  let sum = 0n;
  for (const [index, { type, blobVersionedHashes, receipt }] of proof.covered.entries()) {
    const hasBlobs = hasField(type, "blobVersionedHashes");
    const used = hasBlobs ? BLOB_GAS * BigInt(blobVersionedHashes?.length ?? 0) : 0n;
    sum += used;
    if (receipt.blobGasUsed === null && !hasBlobs) continue;
    if (receipt.blobGasUsed !== hexOf(used)) {
      throw wrong(proof, `receipts[${index}].blobGasUsed`, hexOf(used), receipt.blobGasUsed);
    }
  }
  const { blobGasUsed } = proof.block.header;
  if ((blobGasUsed ?? "0x0") !== hexOf(sum)) throw wrong(proof, "blobGasUsed", hexOf(sum), blobGasUsed);
}

/**
 * What was paid per gas follows from what was signed and the base fee (EIP-1559). `gasPrice` of a
 * mined transaction is what was paid; older nodes send the fee cap there. Either may be missing.
 */
export function checkPrices(proof: Proof): void {
  const { baseFeePerGas } = proof.block.header;
  const baseFee = baseFeePerGas === null ? null : BigInt(baseFeePerGas);
  for (const [index, transaction] of proof.covered.entries()) {
    if (!isSigned(transaction.type)) continue;
    const paid = paidPerGas(transaction, baseFee);
    if (paid === null) continue;
    const { gasPrice, maxFeePerGas, receipt } = transaction;
    if (receipt.effectiveGasPrice !== null && receipt.effectiveGasPrice !== paid) {
      throw wrong(proof, `receipts[${index}].effectiveGasPrice`, paid, receipt.effectiveGasPrice);
    }
    if (gasPrice !== null && gasPrice !== paid && gasPrice !== maxFeePerGas) {
      throw wrong(proof, `transactions[${index}].gasPrice`, paid, gasPrice);
    }
  }
}

function paidPerGas(transaction: Transaction, baseFee: bigint | null): Quantity | null {
  const { type, gasPrice, maxFeePerGas, maxPriorityFeePerGas } = transaction;
  if (hasField(type, "gasPrice")) return gasPrice;
  if (baseFee === null || maxFeePerGas === null || maxPriorityFeePerGas === null) return null;
  const wanted = baseFee + BigInt(maxPriorityFeePerGas);
  return wanted < BigInt(maxFeePerGas) ? hexOf(wanted) : maxFeePerGas;
}

/**
 * A creation's contract address follows from sender and nonce (yellow paper, section 7), nothing else
 * has one. Where the creation failed, or status is not known, some nodes name none.
 */
export function checkContractAddresses(proof: Proof): void {
  for (const [index, transaction] of proof.covered.entries()) {
    if (!isSigned(transaction.type)) continue;
    const { contractAddress, status } = transaction.receipt;
    const expected = transaction.to === null ? createdAddress(proof.writer, transaction) : null;
    if (contractAddress === expected) continue;
    if (contractAddress === null && status !== 1) continue;
    throw wrong(proof, `receipts[${index}].contractAddress`, expected ?? "none", contractAddress);
  }
}

function createdAddress(writer: RlpWriter, { from, nonce }: Transaction): Hex {
  const mark = writer.size;
  writer.quantity(nonce);
  writer.bytes(from);
  writer.closeList(mark);
  const address = writer.addressHash(mark);
  writer.truncate(mark);
  return address;
}

function hexOf(value: bigint): Quantity {
  return `0x${value.toString(16)}`;
}
