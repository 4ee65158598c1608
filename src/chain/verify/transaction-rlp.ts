import type { AccessListEntry, Authorization, Extra, Hex, Quantity, Transaction } from "../../block.js";
import type { RlpWriter } from "./rlp.js";
import { present, UnencodableError } from "./verification-error.js";

/** OP stack: a transaction that was deposited on L1. It has no signature; its sender is a field. */
export const DEPOSIT_TYPE = 0x7e;

/**
 * Writes a transaction as its hash and transactionsRoot cover it (EIP-2718): legacy, EIP-2930,
 * EIP-1559, EIP-4844 (without its blobs, as blocks hold it), EIP-7702, or an OP stack deposit.
 * Throws an UnencodableError that names the field, if one is missing.
 */
export function writeTransaction(writer: RlpWriter, transaction: Transaction): void {
  expectKnownType(transaction);
  const mark = writer.size;
  if (transaction.type === DEPOSIT_TYPE) {
    writeDeposit(writer, transaction);
  } else {
    writer.quantity(present(transaction.s, "s"));
    writer.quantity(present(transaction.r, "r"));
    if (transaction.type === 0) writer.quantity(present(transaction.v, "v"));
    else writer.number(signatureParity(transaction));
    writeUnsigned(writer, transaction);
  }
  writer.closeList(mark);
  if (transaction.type !== 0) writer.byte(transaction.type);
}

/** Writes what the sender signed. Legacy transactions since EIP-155 sign their chain's id as well. */
export function writeSigned(writer: RlpWriter, transaction: Transaction): void {
  expectKnownType(transaction);
  const mark = writer.size;
  if (transaction.type === 0) {
    const chainId = legacyChainId(present(transaction.v, "v"));
    if (chainId !== null) {
      writer.number(0);
      writer.number(0);
      writer.quantity(`0x${chainId.toString(16)}`);
    }
  }
  writeUnsigned(writer, transaction);
  writer.closeList(mark);
  if (transaction.type !== 0) writer.byte(transaction.type);
}

/** The chain's id in a legacy `v` (EIP-155: 35 + 2 * chain id + parity); null for 27 and 28. */
export function legacyChainId(v: Quantity): bigint | null {
  const value = BigInt(v);
  return value >= 35n ? (value - 35n) / 2n : null;
}

/** The parity of the signature's y: `yParity`, which older nodes call `v`, or what a legacy `v` holds. */
export function signatureParity({ type, v, yParity }: Transaction): number {
  if (type === 0) {
    const value = BigInt(present(v, "v"));
    return Number((value >= 35n ? value - 35n : value - 27n) & 1n);
  }
  if (yParity !== null) return yParity;
  if (v === "0x0" || v === "0x1") return Number(v);
  throw new UnencodableError({ field: "yParity", expected: "0 or 1", actual: `none, and v is ${v}` });
}

/** A field of another chain, checked to be a quantity; null if it is not there. */
export function extraQuantity(extra: Extra | null, field: string): Quantity | null {
  return extraHex(extra, field, /^0x(0|[1-9a-f][0-9a-f]{0,63})$/);
}

function expectKnownType({ type }: Transaction): void {
  if (type <= 4 || type === DEPOSIT_TYPE) return;
  throw new UnencodableError({ field: "type", expected: "a known type", actual: String(type) });
}

/** The fields before the signature, last to first. */
function writeUnsigned(writer: RlpWriter, transaction: Transaction): void {
  const { type } = transaction;
  if (type === 4) writeAuthorizations(writer, present(transaction.authorizationList, "authorizationList"));
  if (type === 3) {
    writeHashes(writer, present(transaction.blobVersionedHashes, "blobVersionedHashes"));
    writer.quantity(present(transaction.maxFeePerBlobGas, "maxFeePerBlobGas"));
  }
  if (type >= 1) writeAccessList(writer, present(transaction.accessList, "accessList"));
  writer.bytes(transaction.input);
  writer.quantity(transaction.value);
  writer.bytes(transaction.to ?? "0x");
  writer.quantity(transaction.gas);
  if (type >= 2) {
    writer.quantity(present(transaction.maxFeePerGas, "maxFeePerGas"));
    writer.quantity(present(transaction.maxPriorityFeePerGas, "maxPriorityFeePerGas"));
  } else {
    writer.quantity(present(transaction.gasPrice, "gasPrice"));
  }
  writer.quantity(transaction.nonce);
  if (type >= 1) writer.quantity(present(transaction.chainId, "chainId"));
}

/** specs.optimism.io, protocol/deposits, "The Deposited Transaction Type". */
function writeDeposit(writer: RlpWriter, transaction: Transaction): void {
  const { extra } = transaction;
  writer.bytes(transaction.input);
  writer.number(extra?.isSystemTx === true ? 1 : 0);
  writer.quantity(transaction.gas);
  writer.quantity(transaction.value);
  writer.quantity(extraQuantity(extra, "mint") ?? "0x0");
  writer.bytes(transaction.to ?? "0x");
  writer.bytes(transaction.from);
  writer.bytes(present(extraHex(extra, "sourceHash", /^0x[0-9a-f]{64}$/), "sourceHash"));
}

function writeAccessList(writer: RlpWriter, entries: readonly AccessListEntry[]): void {
  const mark = writer.size;
  for (let i = entries.length - 1; i >= 0; i -= 1) {
    const entry = entries[i];
    if (entry === undefined) continue;
    const item = writer.size;
    writeHashes(writer, entry.storageKeys);
    writer.bytes(entry.address);
    writer.closeList(item);
  }
  writer.closeList(mark);
}

function writeAuthorizations(writer: RlpWriter, authorizations: readonly Authorization[]): void {
  const mark = writer.size;
  for (let i = authorizations.length - 1; i >= 0; i -= 1) {
    const authorization = authorizations[i];
    if (authorization === undefined) continue;
    const item = writer.size;
    writer.quantity(authorization.s);
    writer.quantity(authorization.r);
    writer.quantity(authorization.yParity);
    writer.quantity(authorization.nonce);
    writer.bytes(authorization.address);
    writer.quantity(authorization.chainId);
    writer.closeList(item);
  }
  writer.closeList(mark);
}

function writeHashes(writer: RlpWriter, hashes: readonly Hex[]): void {
  const mark = writer.size;
  for (let i = hashes.length - 1; i >= 0; i -= 1) writer.bytes(hashes[i] ?? "0x");
  writer.closeList(mark);
}

function extraHex(extra: Extra | null, field: string, pattern: RegExp): Hex | null {
  const value = extra?.[field];
  if (value === null || value === undefined) return null;
  if (typeof value === "string" && pattern.test(value)) return value as Hex;
  throw new UnencodableError({ field, expected: "hex", actual: JSON.stringify(value).slice(0, 80) });
}
