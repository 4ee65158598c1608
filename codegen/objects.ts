// The objects of a node's answers as the direct way reads them: each kind of object has a number, and so has each name of a
// field. An object has a slot for each number up to its own last one, so the kinds of which there are most come first.

import { entriesOf, type Fields } from "../src/fields/field.js";
import { blockLists, headerFields } from "../src/fields/header.js";
import { logFields } from "../src/fields/log.js";
import { receiptFields } from "../src/fields/receipt.js";
import { transactionFields } from "../src/fields/transaction.js";

export interface ObjectKind {
  /** Its constant. */
  name: string;
  /** The names of its fields. */
  names: string[];
}

/** A list of objects that are few, read one by one as nodes: all but logs, transactions and receipts. */
export interface NodeList {
  /** The field that holds the list. */
  field: string;
  /** The constant of its items' kind. */
  kind: string;
  /** The end of the functions' names that are about it. */
  title: string;
  fields: Fields;
}

/** What a block has: its header's fields, and its lists. */
export const blockFields: Fields = { ...headerFields, ...blockLists };

const answered: readonly Fields[] = [logFields, receiptFields, transactionFields, blockFields];

export const nodeLists: readonly NodeList[] = answered.flatMap((fields) =>
  entriesOf(fields).flatMap(([field, { kind }]) => {
    if (kind.is !== "objects" || answered.includes(kind.of)) return [];
    return [{ field, kind: `${constantOf(field)}_ITEM`, title: titleOf(field), fields: kind.of }];
  }),
);

export const objectKinds: readonly ObjectKind[] = [
  { name: "LOG", names: Object.keys(logFields) },
  { name: "RECEIPT", names: Object.keys(receiptFields) },
  { name: "TRANSACTION", names: Object.keys(transactionFields) },
  { name: "HEADER", names: Object.keys(blockFields) },
  ...nodeLists.map(({ kind, fields }) => ({ name: kind, names: Object.keys(fields) })),
  // Answers whose result is a block, and a list of receipts.
  { name: "BLOCK_ANSWER", names: ["jsonrpc", "id", "result"] },
  { name: "RECEIPTS_ANSWER", names: ["jsonrpc", "id", "result"] },
];

/** Every name, in the order of its number, which begins with 1. */
export const fieldNames: readonly string[] = [...new Set(objectKinds.flatMap(({ names }) => names))];

/** The constant of a field: GAS_LIMIT for gasLimit. */
export function constantOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** GasLimit for gasLimit. */
export function titleOf(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/** The list that a field of this name and kind is, if its items are nodes. */
export function nodeListOf(fields: Fields): NodeList | undefined {
  return nodeLists.find((list) => list.fields === fields);
}
