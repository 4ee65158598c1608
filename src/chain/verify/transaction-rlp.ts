import type { Quantity, Transaction } from "../../block.js";
import { transactionFields } from "../../fields/transaction.js";
import {
  type HashedField,
  TRANSACTION_TYPES,
  type TransactionType,
  transactionType,
} from "../../fields/transaction-types.js";
import { writeExtra } from "./extra-rlp.js";
import type { RlpWriter } from "./rlp.js";
import { fieldWriterOf, type WriteFields } from "./rlp-fields.js";
import { present, UnencodableError } from "./verification-error.js";

/** What writes each type's fields before the signature, last to first. */
const unsignedWriters = new Map(
  TRANSACTION_TYPES.map(({ type, fields }) => [type, unsignedWriterOf(fields)]),
);

/**
 * Writes a transaction as its hash and transactionsRoot cover it (EIP-2718), by its type
 * (src/fields/transaction-types.ts). Throws an UnencodableError that names the field, if one is missing.
 */
export function writeTransaction(writer: RlpWriter, transaction: Transaction): void {
  const type = knownType(transaction);
  const mark = writer.size;
  if (type.signature !== "none") {
    writer.quantity(present(transaction.s, "s"));
    writer.quantity(present(transaction.r, "r"));
    if (type.signature === "v") writer.quantity(present(transaction.v, "v"));
    else writer.number(signatureParity(transaction));
  }
  writeUnsigned(writer, transaction, { type, mark });
}

/** Writes what the sender signed. Legacy transactions since EIP-155 sign their chain's id as well. */
export function writeSigned(writer: RlpWriter, transaction: Transaction): void {
  const type = knownType(transaction);
  const mark = writer.size;
  if (type.signature === "v") {
    const chainId = legacyChainId(present(transaction.v, "v"));
    if (chainId !== null) {
      writer.number(0);
      writer.number(0);
      writer.quantity(`0x${chainId.toString(16)}`);
    }
  }
  writeUnsigned(writer, transaction, { type, mark });
}

/** The chain's id in a legacy `v` (EIP-155: 35 + 2 * chain id + parity); null for 27 and 28. */
export function legacyChainId(v: Quantity): bigint | null {
  const value = BigInt(v);
  return value >= 35n ? (value - 35n) / 2n : null;
}

/**
 * The parity of the signature's y: `yParity`, which older nodes call `v`, or what a legacy `v` holds, which some nodes send
 * of every type.
 */
export function signatureParity({ type, v, yParity }: Transaction): number {
  if (transactionType(type)?.signature === "v") return legacyParity(present(v, "v"));
  if (yParity !== null) return yParity;
  if (v === "0x0" || v === "0x1") return Number(v);
  if (v !== null && BigInt(v) >= 27n) return legacyParity(v);
  throw new UnencodableError({ field: "yParity", expected: "0 or 1", actual: `none, and v is ${v}` });
}

function legacyParity(v: Quantity): number {
  const value = BigInt(v);
  return Number((value >= 35n ? value - 35n : value - 27n) & 1n);
}

/** The transaction's type, or an UnencodableError. */
export function knownType({ type }: Transaction): TransactionType {
  const known = transactionType(type);
  if (known !== undefined) return known;
  throw new UnencodableError({ field: "type", expected: "a known type", actual: String(type) });
}

/** Writes the fields before the signature, and closes the list that began at the mark. */
function writeUnsigned(
  writer: RlpWriter,
  transaction: Transaction,
  { type, mark }: { type: TransactionType; mark: number },
): void {
  unsignedWriters.get(type.type)?.(writer, transaction);
  writer.closeList(mark);
  for (let i = type.envelope.length - 1; i >= 0; i -= 1) writer.byte(type.envelope[i] ?? 0);
}

function unsignedWriterOf(
  fields: readonly HashedField[],
): (writer: RlpWriter, transaction: Transaction) => void {
  const writes = fields.map(hashedWriterOf);
  return (writer, transaction) => {
    for (let i = writes.length - 1; i >= 0; i -= 1) writes[i]?.(writer, transaction);
  };
}

function hashedWriterOf(field: HashedField): WriteFields {
  if (typeof field === "string") return fieldWriterOf(field, transactionFields[field]);
  return (writer, transaction) => writeExtra(writer, (transaction as Transaction).extra, field);
}
