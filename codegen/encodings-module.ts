import { type Field, type Fields, isOptional } from "../src/fields/field.js";
import { headerFields } from "../src/fields/header.js";
import { logFields } from "../src/fields/log.js";
import { receiptFields } from "../src/fields/receipt.js";
import { rlpPlacesOf } from "../src/fields/rlp-places.js";
import { transactionFields } from "../src/fields/transaction.js";
import type { TransactionType } from "../src/fields/transaction-types.js";
import { withdrawalFields } from "../src/fields/withdrawal.js";
import { moduleText } from "./module-text.js";
import { constantOf, fieldNames, type NodeList, nodeListOf, nodeLists } from "./objects.js";
import { directTypes } from "./types-module.js";

/** What hashes and roots cover, as RLP, last field first. */
export function encodingsModule(): string {
  return moduleText(
    "what hashes and roots cover, as RLP, last field first.",
    {
      "./fields": fieldNames.map(constantOf),
      "../json": ["lastNode", "nodeBefore"],
      "./layout": ["LEFT_PROOF"],
      "../memory": ["leaveUnless"],
      "../object": ["isNull", "lengthOf", "valueAt"],
      "../rlp": [
        "closeList",
        "mark",
        "presentBytes",
        "presentQuantity",
        "writeByte",
        "writeBytes",
        "writeNumber",
        "writeQuantity",
        "writeWords",
      ],
      "../signature": ["parityOf", "typeOf"],
    },
    `
/** Every fork added fields at the end: the last one that is there tells the fork, and all before it must be there. */
export function writeHeader(header: usize): void {
  const since = mark();
${itemsOf("header", headerFields)}
  closeList(since);
}

${optionalPlaces("header", headerFields)}

export function writeTransaction(transaction: usize): void {
  const type = typeOf(transaction);
  const since = mark();
  ${directTypes.map(writeTypeOf).join(" else ")}
  closeList(since);
  writeEnvelope(type);
}

export function writeReceipt(receipt: usize, type: u32): void {
  const since = mark();
${itemsOf("receipt", receiptFields)}
  closeList(since);
  writeEnvelope(type);
}

export function writeWithdrawal(withdrawal: usize): void {
  const since = mark();
${itemsOf("withdrawal", withdrawalFields)}
  closeList(since);
}

/** What a type's payloads begin with. */
function writeEnvelope(type: u32): void {
${directTypes.flatMap(writeEnvelopeOf).join("\n")}
}

function writeLogs(receipt: usize, field: i32): void {
  const since = mark();
  const list = valueAt(receipt, field);
  for (let i = lengthOf(receipt, field); i > 0; i--) {
    const log = load<u32>(list + 4 * (i - 1)) as usize;
    const item = mark();
${itemsOf("log", logFields, "    ")}
    closeList(item);
  }
  closeList(since);
}

${nodeLists
  .filter(({ fields }) => fields !== withdrawalFields)
  .map(writeListOf)
  .join("\n\n")}
`,
  );
}

function writeTypeOf({ type, fields, signature }: TransactionType): string {
  const signed =
    signature === "none"
      ? []
      : [
          ...writeOf("transaction", "s", transactionFields.s),
          ...writeOf("transaction", "r", transactionFields.r),
          ...(signature === "v"
            ? writeOf("transaction", "v", transactionFields.v)
            : ["writeNumber(parityOf(transaction) as u64);"]),
        ];
  const unsigned = fields.toReversed().flatMap((name) => {
    if (typeof name !== "string") throw new TypeError(`Type ${type} has a field without a column`);
    return writeOf("transaction", name, transactionFields[name]);
  });
  return `  if (type === ${type}) {\n${[...signed, ...unsigned].map((line) => `    ${line}`).join("\n")}\n  }`.trimStart();
}

function writeEnvelopeOf({ type, envelope }: TransactionType): string[] {
  if (envelope.length === 0) return [];
  const bytes = envelope.toReversed().map((byte) => `writeByte(${byte});`);
  return [`  if (type === ${type}) {\n    ${bytes.join("\n    ")}\n  }`];
}

function writeListOf({ title, fields }: NodeList): string {
  return `function write${title}(object: usize, field: i32): void {
  const since = mark();
  const count = lengthOf(object, field);
  let entry: usize = count === 0 ? 0 : lastNode(valueAt(object, field));
  for (let i: usize = count; i > 0; i--) {
    const item = mark();
${itemsOf("entry", fields, "    ")}
    closeList(item);
    if (i > 1) entry = nodeBefore(entry);
  }
  closeList(since);
}`;
}

/** The fields of an object, last to first. */
function itemsOf(object: string, fields: Fields, indent = "  "): string {
  const { places, always } = rlpPlacesOf(fields);
  const isShort = always < places.length;
  const lines = places.flatMap((place, index) => {
    const [first, second] = place;
    if (first === undefined) return [];
    const [name, field] = first;
    if (index >= always)
      return [
        `if (count > ${index}) {\n${indent}  ${writeOf(object, name, field).join(`\n${indent}  `)}\n${indent}}`,
      ];
    if (second === undefined) return [writeOf(object, name, field).join(`\n${indent}`)];
    const [otherName, other] = second;
    const [thereFirst, ...rest] = writeOf(object, otherName, other);
    return [
      `if (!isNull(${object}, ${constantOf(name)})) ${plainWriteOf(object, name, field)}\n${indent}else {\n${indent}  ${[thereFirst, ...rest].join(`\n${indent}  `)}\n${indent}}`,
    ];
  });
  const count = isShort ? [`const count = ${object}Places(${object});`] : [];
  return [...count, ...lines.toReversed()].map((line) => indent + line).join("\n");
}

/** How many of the fields are hashed. */
function optionalPlaces(object: string, fields: Fields): string {
  const { places, always } = rlpPlacesOf(fields);
  const lines = places
    .map(
      ([first], index) => `  if (!isNull(${object}, ${constantOf(first?.[0] ?? "")})) return ${index + 1};`,
    )
    .slice(always)
    .toReversed();
  return `function ${object}Places(${object}: usize): i32 {\n${lines.join("\n")}\n  return ${always};\n}`;
}

function writeOf(object: string, name: string, field: Field): string[] {
  const place = `${object}, ${constantOf(name)}`;
  const write = plainWriteOf(object, name, field);
  if (!isOptional(field)) return [write];
  if (field.emptyIfNull) return [`if (isNull(${place})) writeByte(0x80);`, `else ${write}`];
  if (write === `writeBytes(${place});`) return [`presentBytes(${place});`];
  if (write === `writeQuantity(${place});`) return [`presentQuantity(${place});`];
  return [`leaveUnless(!isNull(${place}), LEFT_PROOF);`, write];
}

function plainWriteOf(object: string, name: string, { kind }: Field): string {
  const place = `${object}, ${constantOf(name)}`;
  switch (kind.is) {
    case "integer":
    case "time":
    case "quantity":
    case "word":
      return `writeQuantity(${place});`;
    case "bytes":
    case "data":
      return `writeBytes(${place});`;
    case "words":
      return `writeWords(${place});`;
    case "objects":
      return `write${kind.of === logFields ? "Logs" : nodeListOf(kind.of)?.title}(${place});`;
    case "text":
    case "false":
      throw new TypeError(`${name}: nothing hashes a field of this kind`);
  }
}
