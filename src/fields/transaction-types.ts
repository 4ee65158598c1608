import type { Kind } from "./field.js";
import { hash, quantity } from "./kinds.js";
import type { transactionFields } from "./transaction.js";

type TransactionField = keyof typeof transactionFields;

/** A field of another chain's, which has no column: it is kept in `extra`. */
export interface ExtraField {
  readonly extra: string;
  readonly kind: Extract<Kind, { is: "bytes" | "quantity" }> | { readonly is: "flag" };
  /** What is hashed where it is missing; without it, it must be there. */
  readonly missing?: string;
}

export type HashedField = TransactionField | ExtraField;

/** The signature's first field: a legacy `v` also holds the chain's id (EIP-155). None: unsigned. */
export type Signature = "v" | "yParity" | "none";

/** A type of transaction (EIP-2718): what its hash and its receipt's root cover. */
export interface TransactionType {
  readonly type: number;
  readonly name: string;
  /** The fields before the signature, in the order of their RLP: what is signed. `r` and `s` end the signature. */
  readonly fields: readonly HashedField[];
  readonly signature: Signature;
  /** The bytes that the transaction's and its receipt's payload begin with; the RLP follows. */
  readonly envelope: readonly number[];
  /** What its receipt has behind the logs, if the last of them is there. */
  readonly receipt?: readonly ExtraField[];
}

const feeMarket = [
  "chainId",
  "nonce",
  "maxPriorityFeePerGas",
  "maxFeePerGas",
  "gas",
  "to",
  "value",
  "input",
  "accessList",
] as const;

/** Every type whose encoding is known. What others have beyond the common fields is kept in `extra`. */
export const TRANSACTION_TYPES: readonly TransactionType[] = [
  {
    type: 0,
    name: "legacy",
    fields: ["nonce", "gasPrice", "gas", "to", "value", "input"],
    signature: "v",
    envelope: [],
  },
  {
    type: 1,
    name: "EIP-2930",
    fields: ["chainId", "nonce", "gasPrice", "gas", "to", "value", "input", "accessList"],
    signature: "yParity",
    envelope: [0x01],
  },
  { type: 2, name: "EIP-1559", fields: feeMarket, signature: "yParity", envelope: [0x02] },
  {
    type: 3,
    name: "EIP-4844, without its blobs, as blocks hold it",
    fields: [...feeMarket, "maxFeePerBlobGas", "blobVersionedHashes"],
    signature: "yParity",
    envelope: [0x03],
  },
  {
    type: 4,
    name: "EIP-7702",
    fields: [...feeMarket, "authorizationList"],
    signature: "yParity",
    envelope: [0x04],
  },
  {
    // specs.optimism.io, protocol/deposits, "The Deposited Transaction Type" and "Deposit Receipt". Before Canyon a
    // deposit's nonce was not hashed; the version, which came with Canyon, tells.
    type: 0x7e,
    name: "OP stack deposit",
    fields: [
      { extra: "sourceHash", kind: hash },
      "from",
      "to",
      { extra: "mint", kind: quantity(256), missing: "0x0" },
      "value",
      "gas",
      { extra: "isSystemTx", kind: { is: "flag" } },
      "input",
    ],
    signature: "none",
    envelope: [0x7e],
    receipt: [
      { extra: "depositNonce", kind: quantity(256) },
      { extra: "depositReceiptVersion", kind: quantity(256) },
    ],
  },
];

const byNumber = new Map(TRANSACTION_TYPES.map((type) => [type.type, type]));

/** The type of this number; undefined: its encoding is not known here. */
export function transactionType(type: number): TransactionType | undefined {
  return byNumber.get(type);
}

/** Whether transactions of a type have a field, covered by their hash. False for a type that is not known. */
export function hasField(type: number, field: TransactionField): boolean {
  return byNumber.get(type)?.fields.includes(field) ?? false;
}

/** Whether somebody signed transactions of a type. False for a type that is not known. */
export function isSigned(type: number): boolean {
  return (byNumber.get(type)?.signature ?? "none") !== "none";
}
