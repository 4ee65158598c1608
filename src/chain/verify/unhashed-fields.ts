import type { Quantity, Transaction } from "../../block.js";
import { entriesOf } from "../../fields/field.js";
import { transactionFields } from "../../fields/transaction.js";
import { hasField, transactionType } from "../../fields/transaction-types.js";
import { type Proof, wrong } from "./proof.js";
import { legacyChainId, signatureParity } from "./transaction-rlp.js";

type Name = keyof typeof transactionFields & keyof Transaction;

/** The fields that some types have, and what nodes may send of them in another type. */
const unhashed = entriesOf(transactionFields).flatMap(([name, { unhashed }]) =>
  unhashed === undefined || unhashed === "signature" ? [] : { name: name as Name, unhashed },
);

/**
 * Fields of a transaction that its hash does not cover must not contradict those that it does: nodes
 * say `yParity`, `v` and `chainId` twice, and some send another type's fields empty.
 */
export function checkUnhashedFields(proof: Proof, transaction: Transaction, index: number): void {
  const { type, gasPrice } = transaction;
  const signature = transactionType(type)?.signature ?? "none";
  if (signature === "none") return;
  const expectField = (field: Name, allowed: readonly unknown[]) => {
    const actual = transaction[field];
    if (actual === null || allowed.includes(actual)) return;
    const expected = allowed.length === 0 ? `none in type ${type}` : allowed.join(" or ");
    throw wrong(proof, `transactions[${index}].${field}`, expected, JSON.stringify(actual));
  };

  if (signature === "v") {
    if (transaction.v !== null) expectLegacySignature(proof, transaction, transaction.v, expectField);
  } else if (transaction.yParity !== null) {
    expectField("v", [transaction.yParity === 0 ? "0x0" : "0x1"]);
  }
  for (const { name, unhashed: allowed } of unhashed) {
    const value = transaction[name];
    if (value === null || hasField(type, name)) continue;
    if (allowed === "gasPrice") expectField(name, [gasPrice]);
    else if (allowed === "zero") expectField(name, ["0x0"]);
    else if (!Array.isArray(value) || value.length > 0) expectField(name, []);
  }
}

/** EIP-155: `v` holds the chain's id. Where it does not, some nodes name the chain that they serve, or 0. */
function expectLegacySignature(
  proof: Proof,
  transaction: Transaction,
  v: Quantity,
  expectField: (field: Name, allowed: readonly unknown[]) => void,
): void {
  const chainId = legacyChainId(v);
  const served: Quantity = `0x${proof.rules.chainId.toString(16)}`;
  expectField("chainId", chainId === null ? [served, "0x0"] : [`0x${chainId.toString(16)}`]);
  expectField("yParity", [signatureParity(transaction)]);
}
