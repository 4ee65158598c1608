import type { Hex, Quantity, Transaction } from "../../block.js";
import { entriesOf } from "../../fields/field.js";
import { transactionFields } from "../../fields/transaction.js";
import { hasField, isSigned, transactionType } from "../../fields/transaction-types.js";
import { derive, encode, type Proof, wrong } from "./proof.js";
import { legacyChainId, signatureParity } from "./transaction-rlp.js";

type Name = keyof typeof transactionFields & keyof Transaction;

/** The fields that some types have, and what nodes may send of them in another type. */
const unhashed = entriesOf(transactionFields).flatMap(([name, { unhashed }]) =>
  unhashed === undefined || unhashed === "signature" ? [] : { name: name as Name, unhashed },
);

/**
 * Fields of a transaction that its hash does not cover must not contradict those that it does: nodes
 * say `yParity`, `v` and `chainId` twice, and some send another type's fields empty. The receipt says again who sent it,
 * to whom, and its type. What follows from the hash is derived.
 */
export function checkUnhashedFields(proof: Proof, transaction: Transaction, index: number): void {
  const { type } = transaction;
  const path = () => `transactions[${index}]`;
  checkEchoes(proof, transaction, index);
  const signature = transactionType(type)?.signature ?? "none";
  if (signature === "none") return;
  if (proof.onDerived !== null && transaction.gasPrice === null && hasField(type, "gasPrice")) {
    const { effectiveGasPrice } = transaction.receipt;
    derive(proof, transaction, { name: "gasPrice", value: effectiveGasPrice, path });
  }
  encode(
    proof,
    () => `${path()}.`,
    () => {
      if (signature === "v") settleLegacySignature(proof, transaction, path);
      else settleTypedSignature(proof, transaction, path);
    },
  );
  for (const { name, unhashed: allowed } of unhashed) {
    const value = transaction[name];
    if (value === null || hasField(type, name)) continue;
    const isAllowed =
      (allowed === "gasPrice" && value === transaction.gasPrice) ||
      (allowed === "zero" && value === "0x0") ||
      (allowed === "empty" && Array.isArray(value) && value.length === 0);
    if (!isAllowed) derive(proof, transaction, { name, value: null, path });
  }
}

/** Who sent it is proven by the signature alone, so a receipt that says otherwise is not believed, nor the transaction. */
function checkEchoes(proof: Proof, { from, to, type, receipt }: Transaction, index: number): void {
  const path = () => `receipts[${index}]`;
  if (receipt.from !== null && receipt.from !== from && !proof.checks.includes("senders"))
    throw wrong(proof, `${path()}.from`, from, receipt.from);
  if (receipt.from !== null) derive(proof, receipt, { name: "from", value: from, path });
  const isSaid = receipt.to !== null && !(to === null && /^0x0*$/.test(receipt.to));
  if (isSaid) derive(proof, receipt, { name: "to", value: to, path });
  if (receipt.type !== null) derive(proof, receipt, { name: "type", value: type, path });
}

/** EIP-155: `v` holds the chain's id. Where it does not, some nodes name the chain that they serve, or 0. */
function settleLegacySignature(proof: Proof, transaction: Transaction, path: () => string): void {
  if (proof.onDerived !== null) deriveLegacyV(proof, transaction, path);
  if (transaction.v === null) return;
  const signed = legacyChainId(transaction.v);
  const chainId: Quantity | null = signed === null ? null : `0x${signed.toString(16)}`;
  const served: Quantity = `0x${proof.rules.chainId.toString(16)}`;
  const { chainId: told } = transaction;
  const isOfOldRows =
    proof.onDerived === null && (told === null || (chainId === null && (told === served || told === "0x0")));
  if (!isOfOldRows) derive(proof, transaction, { name: "chainId", value: chainId, path });
  if (transaction.yParity !== null)
    derive(proof, transaction, { name: "yParity", value: signatureParity(transaction), path });
}

/** Where a node tells the parity alone. The hash proves that the rest was guessed right. */
function deriveLegacyV(proof: Proof, transaction: Transaction, path: () => string): void {
  const { v, yParity, chainId } = transaction;
  const parity = v === "0x0" || v === "0x1" ? Number(v) : v === null ? yParity : null;
  if (parity === null) return;
  const first = chainId === null || chainId === "0x0" ? 27n : 35n + 2n * BigInt(chainId);
  derive(proof, transaction, { name: "v", value: `0x${(first + BigInt(parity)).toString(16)}`, path });
}

/** The parity is hashed, whatever names it has. Of what is missing the hash proves that it was guessed right. */
function settleTypedSignature(proof: Proof, transaction: Transaction, path: () => string): void {
  const { v, type } = transaction;
  const isDeriving = proof.onDerived !== null;
  if (v === null && transaction.yParity === null) return;
  const parity = signatureParity(transaction);
  const value: Quantity = parity === 0 ? "0x0" : "0x1";
  if (isDeriving) derive(proof, transaction, { name: "yParity", value: parity, path });
  if (isDeriving || (v !== null && transaction.yParity !== null))
    derive(proof, transaction, { name: "v", value, path });
  if (!isDeriving) return;
  if (transaction.chainId === null) {
    const served: Hex = `0x${proof.rules.chainId.toString(16)}`;
    derive(proof, transaction, { name: "chainId", value: served, path });
  }
  if (transaction.accessList === null && hasField(type, "accessList"))
    derive(proof, transaction, { name: "accessList", value: [], path });
}

/** What was signed for another chain is no transaction of this one: these are another chain's blocks. */
export function checkSignedChain(proof: Proof, { type, v, chainId }: Transaction, index: number): void {
  const { chainId: served, inheritsBlocks } = proof.rules;
  if (inheritsBlocks || !isSigned(type)) return;
  const isLegacy = !hasField(type, "chainId");
  const signed = isLegacy
    ? v === null
      ? null
      : legacyChainId(v)
    : chainId === null
      ? null
      : BigInt(chainId);
  if (signed === null || signed === BigInt(served)) return;
  const expected = `a transaction of chain ${served}`;
  throw wrong(
    proof,
    `transactions[${index}].${isLegacy ? "v" : "chainId"}`,
    expected,
    `one of chain ${signed}`,
  );
}
