import type { Hex, Quantity, Transaction } from "../../block.js";
import { hasField, isSigned } from "../../fields/transaction-types.js";
import { knownBlobPrice } from "./blob-price.js";
import { derive, type Proof, wrong } from "./proof.js";
import type { RlpWriter } from "./rlp.js";

/** Gas of one blob (EIP-4844, GAS_PER_BLOB). */
const BLOB_GAS = 131_072n;

/**
 * Blob gas used follows from the blobs, in each receipt and in the header. What it cost follows from the header's excess,
 * where the chain's schedule is known: what rows of blockmill 1 say of it is what the node said.
 */
export function checkBlobGas(proof: Proof): void {
  let sum = 0n;
  const price = proof.onDerived === null ? null : blobPriceOf(proof);
  for (const [index, { type, blobVersionedHashes, receipt }] of proof.covered.entries()) {
    const hasBlobs = hasField(type, "blobVersionedHashes");
    const used = hasBlobs ? BLOB_GAS * BigInt(blobVersionedHashes?.length ?? 0) : 0n;
    sum += used;
    if (!hasBlobs && (receipt.blobGasUsed ?? "0x0") === "0x0") continue;
    const value = hasBlobs ? hexOf(used) : null;
    const path = () => `receipts[${index}]`;
    derive(proof, receipt, { name: "blobGasUsed", value, path });
    if (price !== null && hasBlobs) derive(proof, receipt, { name: "blobGasPrice", value: price, path });
  }
  const { blobGasUsed } = proof.block.header;
  if ((blobGasUsed ?? "0x0") !== hexOf(sum)) throw wrong(proof, "blobGasUsed", hexOf(sum), blobGasUsed);
}

function blobPriceOf({ block, rules }: Proof): Quantity | null {
  const { timestamp, excessBlobGas } = block.header;
  if (excessBlobGas === null) return null;
  const price = knownBlobPrice(rules.chainId, { timestamp, excessBlobGas: BigInt(excessBlobGas) });
  return price === null ? null : hexOf(price);
}

/**
 * What was paid per gas follows from what was signed and the base fee (EIP-1559). `gasPrice` of a
 * mined transaction is what was paid; older nodes send the fee cap there, or nothing. Rows of blockmill 1 may be as these
 * nodes say.
 */
export function checkPrices(proof: Proof): void {
  const { baseFeePerGas } = proof.block.header;
  const baseFee = baseFeePerGas === null ? null : BigInt(baseFeePerGas);
  for (const [index, transaction] of proof.covered.entries()) {
    if (!isSigned(transaction.type)) continue;
    const paid = paidPerGas(transaction, baseFee);
    if (paid === null) continue;
    const { gasPrice, maxFeePerGas, receipt } = transaction;
    if (proof.onDerived !== null || receipt.effectiveGasPrice !== null) {
      derive(proof, receipt, { name: "effectiveGasPrice", value: paid, path: () => `receipts[${index}]` });
    }
    if (proof.onDerived !== null || (gasPrice !== null && gasPrice !== maxFeePerGas)) {
      derive(proof, transaction, { name: "gasPrice", value: paid, path: () => `transactions[${index}]` });
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
 * has one. Where the creation failed, or status is not known, some nodes name none, and rows of blockmill 1 are as they say.
 * A node that names another one than its own sender's is not believed, unless the sender is proven.
 */
export function checkContractAddresses(proof: Proof): void {
  for (const [index, transaction] of proof.covered.entries()) {
    if (!isSigned(transaction.type)) continue;
    const { receipt } = transaction;
    const { contractAddress: told, status } = receipt;
    const expected = transaction.to === null ? createdAddress(proof.writer, transaction) : null;
    if (told === expected) continue;
    if (proof.onDerived === null && told === null && status !== 1) continue;
    const isSaid = told !== null && told !== ZERO_ADDRESS && expected !== null;
    if (isSaid && !proof.checks.includes("senders"))
      throw wrong(proof, `receipts[${index}].contractAddress`, expected, told);
    derive(proof, receipt, { name: "contractAddress", value: expected, path: () => `receipts[${index}]` });
  }
}

const ZERO_ADDRESS: Hex = `0x${"00".repeat(20)}`;

/** Null: the nonce is not told. */
function createdAddress(writer: RlpWriter, { from, nonce }: Transaction): Hex | null {
  if (nonce === null) return null;
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
