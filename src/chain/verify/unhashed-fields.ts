import type { Quantity, Transaction } from "../../block.js";
import { type Proof, wrong } from "./proof.js";
import { DEPOSIT_TYPE, legacyChainId, signatureParity } from "./transaction-rlp.js";

/**
 * Fields of a transaction that its hash does not cover must not contradict those that it does: nodes
 * say `yParity`, `v` and `chainId` twice, and some send another type's fields empty.
 */
export function checkUnhashedFields(proof: Proof, transaction: Transaction, index: number): void {
  const { type } = transaction;
  if (type === DEPOSIT_TYPE) return;
  const expectField = (field: keyof Transaction, allowed: readonly unknown[]) => {
    const actual = transaction[field];
    if (actual === null || allowed.includes(actual)) return;
    const expected = allowed.length === 0 ? `none in type ${type}` : allowed.join(" or ");
    throw wrong(proof, `transactions[${index}].${field}`, expected, JSON.stringify(actual));
  };
  const expectEmpty = (field: "accessList" | "blobVersionedHashes" | "authorizationList") => {
    if (transaction[field]?.length !== 0) expectField(field, []);
  };

  if (type === 0) {
    if (transaction.v !== null) expectLegacySignature(proof, transaction, transaction.v, expectField);
    expectEmpty("accessList");
  } else if (transaction.yParity !== null) {
    expectField("v", [transaction.yParity === 0 ? "0x0" : "0x1"]);
  }
  if (type <= 1) {
    expectField("maxFeePerGas", [transaction.gasPrice]);
    expectField("maxPriorityFeePerGas", [transaction.gasPrice]);
  }
  if (type !== 3) {
    expectField("maxFeePerBlobGas", ["0x0"]);
    expectEmpty("blobVersionedHashes");
  }
  if (type !== 4) expectEmpty("authorizationList");
}

/** EIP-155: `v` holds the chain's id. Where it does not, some nodes name the chain that they serve, or 0. */
function expectLegacySignature(
  proof: Proof,
  transaction: Transaction,
  v: Quantity,
  expectField: (field: keyof Transaction, allowed: readonly unknown[]) => void,
): void {
  const chainId = legacyChainId(v);
  const served: Quantity = `0x${proof.rules.chainId.toString(16)}`;
  expectField("chainId", chainId === null ? [served, "0x0"] : [`0x${chainId.toString(16)}`]);
  expectField("yParity", [signatureParity(transaction)]);
}
