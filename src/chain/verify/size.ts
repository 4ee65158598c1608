import type { Check } from "../../fields/direct-layout.js";
import { derive, type Proof } from "./proof.js";

const COVERING: readonly Check[] = ["hash", "uncles", "transactionsRoot", "withdrawalsRoot"];

/**
 * A block's size is that of its RLP: header, transactions, uncle headers, and withdrawals, where it has a root of them. So it
 * follows from what was proven, if there are no uncles: their headers are not fetched. Rows of blockmill 1 have what the
 * node said.
 */
export function deriveSize(proof: Proof): void {
  const { bytes, checks, covered, encodable } = proof;
  const { header, transactions } = proof.block;
  const isWhole = encodable && covered.length === transactions.length && header.uncles.length === 0;
  if (proof.onDerived === null || !isWhole || !COVERING.every((check) => checks.includes(check))) return;
  const withdrawals = header.withdrawalsRoot === null ? 0 : listBytes(bytes.withdrawals);
  const size = listBytes(bytes.header + listBytes(bytes.transactions) + listBytes(0) + withdrawals);
  derive(proof, header, { name: "size", value: size, path: () => "block" });
}

/** Bytes of a transaction in its block: a typed one is a string there (EIP-2718). */
export function itemBytes(encoded: number, type: number): number {
  return type === 0 ? encoded : listBytes(encoded);
}

/** Bytes of a list, or of a string of more than one byte, with its prefix. */
function listBytes(payload: number): number {
  if (payload < 56) return payload + 1;
  return payload + 1 + Math.ceil(Math.log2(payload + 1) / 8);
}
