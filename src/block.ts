// The block as the program knows it: what src/chain produces and everything after it reads. The fields, and what each of
// them is, are described in src/fields; the types follow from that.
//
// Every hex string here was checked by the parser: lower case, 0x, of the stated length. A `Hex` of
// bytes has an even number of digits; a `Quantity` is a number in hex without leading zeros, at most
// the stated number of bits. Quantities stay hex until they are encoded: most are only copied, and
// half of them do not fit a JavaScript number.

import type { ObjectOf } from "./fields/field.js";
import type { headerFields } from "./fields/header.js";
import type { Hex } from "./fields/hex.js";
import type { logFields } from "./fields/log.js";
import type { receiptFields } from "./fields/receipt.js";
import type { accessListEntryFields, authorizationFields, transactionFields } from "./fields/transaction.js";
import type { withdrawalFields } from "./fields/withdrawal.js";

export type { Hex, Quantity } from "./fields/hex.js";

/** A block, on its branch. */
export interface BlockRef {
  number: number;
  hash: Hex;
}

/** Blocks from `from` to `to`, both included. */
export interface BlockSpan {
  from: number;
  to: number;
}

/** Fields that the schema has no column for, as the node sent them. */
export type Extra = Record<string, unknown>;

export interface Header extends ObjectOf<typeof headerFields> {
  extra: Extra | null;
}

export interface AccessListEntry extends ObjectOf<typeof accessListEntryFields> {}

/** EIP-7702. */
export interface Authorization extends ObjectOf<typeof authorizationFields> {}

export interface Receipt extends ObjectOf<typeof receiptFields> {
  extra: Extra | null;
}

export interface Transaction extends ObjectOf<typeof transactionFields> {
  extra: Extra | null;
  receipt: Receipt;
}

export interface Log extends ObjectOf<typeof logFields> {}

export interface Withdrawal extends ObjectOf<typeof withdrawalFields> {}

/** A block with everything in it: the transactions carry their receipts, the receipts their logs. */
export interface Block {
  header: Header;
  transactions: Transaction[];
  /** Null before Shanghai and on chains without withdrawals. */
  withdrawals: Withdrawal[] | null;
}
