import { secp256k1 } from "@noble/curves/secp256k1.js";
import type { Hex, Transaction } from "../../block.js";
import { isSigned } from "../../fields/transaction-types.js";
import { encode, type Proof, wrong } from "./proof.js";
import { signatureParity, writeSigned } from "./transaction-rlp.js";
import { present } from "./verification-error.js";

/** Each `from` is who signed the transaction (about a millisecond each). Deposits have no signature. */
export function checkSenders(proof: Proof): void {
  for (const [index, transaction] of proof.covered.entries()) {
    if (!isSigned(transaction.type) || proof.rules.opaqueTypes.has(transaction.type)) continue;
    const signer = recoverSender(proof, transaction, index);
    if (transaction.from !== signer)
      throw wrong(proof, `transactions[${index}].from`, signer, transaction.from);
  }
}

function recoverSender(proof: Proof, transaction: Transaction, index: number): Hex {
  const { writer } = proof;
  const mark = writer.size;
  const path = () => `transactions[${index}].`;
  encode(proof, path, () => writeSigned(writer, transaction));
  const digest = writer.hash(mark);
  writer.truncate(mark);

  const publicKey = recoverPublicKey(proof, transaction, index, digest);
  // The address is made of the two coordinates, without the byte that tells their form.
  writer.raw(`0x${publicKey.slice(2)}`);
  const address = writer.addressHash(mark);
  writer.truncate(mark);
  return address;
}

function recoverPublicKey(proof: Proof, transaction: Transaction, index: number, digest: Hex): string {
  try {
    const r = BigInt(present(transaction.r, "r"));
    const s = BigInt(present(transaction.s, "s"));
    const signature = new secp256k1.Signature(r, s).addRecoveryBit(signatureParity(transaction));
    return signature.recoverPublicKey(Buffer.from(digest.slice(2), "hex")).toHex(false);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw wrong(proof, `transactions[${index}].r`, "a signature", `${transaction.r}: ${reason}`);
  }
}
