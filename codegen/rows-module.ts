import { entriesOf, type Field, type Fields } from "../src/fields/field.js";
import {
  BLOCKS,
  type Column,
  LOGS,
  type Table,
  TOKEN_TRANSFERS,
  TRANSACTIONS,
  WITHDRAWALS,
} from "../src/fields/tables.js";
import { moduleText } from "./module-text.js";
import { constantOf, fieldNames, type NodeList, nodeListOf, nodeLists } from "./objects.js";

/** More than the columns of a fixed size take in any row, or between two lists of it. */
const rowBytes = 4096;

/** The tables' rows, column by column, without what repeats them. */
export function rowsModule(): string {
  const lists = nodeLists.filter(({ fields }) => isColumn(fields));
  return moduleText(
    "the tables' rows, column by column.",
    {
      "./fields": fieldNames.map(constantOf),
      "../copy": [
        "endJsonb",
        "put16",
        "putBig",
        "putBytes",
        "putInt",
        "putInt2",
        "putInt4",
        "putInt8",
        "putItem",
        "putLetters",
        "putNull",
        "putQuantity",
        "putQuotedField",
        "putQuotedWords",
        "putSmall",
        "putText",
        "putTime",
        "putWord",
        "putWords",
        "reserve",
        "startJsonb",
      ],
      "../json": ["logCount", "nodeBehind", "transactionCount"],
      "../memory": ["VERIFIED_AT"],
      "../object": ["isNull", "lengthOf", "numberIn", "valueAt"],
      "../signature": ["typeOf"],
    },
    `
/** \`number\`: the block's. */
export function putTransaction(header: usize, number: u64, row: usize, receipt: usize): void {
${columnsOf(TRANSACTIONS)}
}

export function putLog(header: usize, number: u64, row: usize): void {
${columnsOf(LOGS)}
}

export function putWithdrawal(number: u64, row: usize): void {
${columnsOf(WITHDRAWALS)}
}

/** The block's own row, but for what tells of the digest, which covers all that is written here but the first two bytes. */
export function putHeader(header: usize, number: u64, verifiedBytes: usize): void {
${columnsOf(BLOCKS)}
}

export const TRANSFER_COLUMNS: u32 = ${TOKEN_TRANSFERS.columns.length};

${lists.map(putListOf).join("\n\n")}
`,
  );
}

function isColumn(of: Fields): boolean {
  return TRANSACTIONS.columns.some(
    ({ value }) => "of" in value && value.field.kind.is === "objects" && value.field.kind.of === of,
  );
}

/** Room is made for a row's start, and again behind each list, which makes room for itself. */
function columnsOf(table: Table): string {
  const lines: string[] = [];
  let open = startRoom(table.columns);
  lines.push(open, `put16(${table.columns.length});`);
  for (const [index, column] of table.columns.entries()) {
    lines.push(putOf(table, column));
    if (!isList(column)) continue;
    open = startRoom(table.columns.slice(index + 1));
    lines.push(open);
  }
  return lines.map((line) => `  ${line}`).join("\n");
}

function startRoom(columns: readonly Column[]): string {
  const end = columns.findIndex(isList);
  const sizes = columns.slice(0, end === -1 ? undefined : end).flatMap(({ value }) => {
    if ("made" in value) return value.made === "verified" ? ["verifiedBytes"] : [];
    if (!("of" in value) || value.field.kind.is !== "data") return [];
    return [`lengthOf(${value.of}, ${constantOf(value.name)})`];
  });
  return `reserve(${[rowBytes, ...sizes].join(" + ")});`;
}

function isList({ value }: Column): boolean {
  return "of" in value && (value.field.kind.is === "words" || value.field.kind.is === "objects");
}

function putOf(table: Table, { name, type, value }: Column): string {
  if ("count" in value) {
    if (table === BLOCKS) return `putInt4(${value.count === "logs" ? "logCount" : "transactionCount"});`;
    return "putInt4(lengthOf(receipt, LOGS) as u32);";
  }
  if ("made" in value) {
    // A block with extra fields goes the long way.
    return value.made === "extra" ? "putNull(); // extra" : "putText(VERIFIED_AT, verifiedBytes);";
  }
  if (value.of === "header" && value.name === "number") return "putInt8(number);";
  if (value.item !== undefined) return `putItem(${value.of}, ${constantOf(value.name)}, ${value.item});`;
  if (value.field.missing !== undefined) return missingOf(name, value.field, `${value.of}`);
  const place = `${value.of}, ${constantOf(value.name)}`;
  const { kind } = value.field;
  switch (kind.is) {
    case "integer":
      return `${{ smallint: "putSmall", int: "putInt", bigint: "putBig" }[type]}(${place});`;
    case "time":
      return `putTime(${place});`;
    case "quantity":
      return `putQuantity(${place});`;
    case "word":
      return `putWord(${place});`;
    case "bytes":
    case "data":
      return `putBytes(${place});`;
    case "words":
      return `putWords(${place});`;
    case "objects":
      return `put${nodeListOf(kind.of)?.title}(${place});`;
    case "text":
    case "false":
      throw new TypeError(`${table.name}.${name}: the direct way writes no column of this kind`);
  }
}

/** The one field that has a value where it is missing is a transaction's type. */
function missingOf(name: string, { missing }: Field, owner: string): string {
  if (name !== "type" || missing !== 0)
    throw new TypeError(`${name}: what it is where it is missing is not known here`);
  return `putInt2(typeOf(${owner}));`;
}

/** jsonb in PostgreSQL's own form: shorter keys first, then by their bytes; a space behind ":" and ",". */
function putListOf({ title, fields }: NodeList): string {
  const members = entriesOf(fields).toSorted(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));
  const words = members.filter(([, { kind }]) => kind.is === "words");
  const fixed = members.reduce((sum, [name, { kind }]) => sum + name.length + 8 + textBytes(kind), 8);
  const room = [`${fixed}`, ...words.map(([name]) => `72 * lengthOf(entry, ${constantOf(name)})`)].join(
    " + ",
  );
  const lines = members.flatMap(([name, { kind }], index) => [
    `putLetters('${index === 0 ? "{" : ", "}"${name}": ');`,
    `${kind.is === "words" ? "putQuotedWords" : "putQuotedField"}(entry, ${constantOf(name)});`,
  ]);
  return `function put${title}(object: usize, field: i32): void {
  if (isNull(object, field)) {
    putNull();
    return;
  }
  const count = lengthOf(object, field);
  let entry = valueAt(object, field);
  reserve(64);
  const start = startJsonb();
  putLetters("[");
  for (let i: usize = 0; i < count; i++) {
    reserve(${room});
    if (i > 0) putLetters(", ");
    ${lines.join("\n    ")}
    putLetters("}");
    entry = nodeBehind(entry);
  }
  putLetters("]");
  endJsonb(start);
}`;
}

/** Characters of a value's text, quotes and prefix included, at most. */
function textBytes(kind: Field["kind"]): number {
  if (kind.is === "bytes") return 4 + 2 * kind.bytes;
  if (kind.is === "quantity") return 4 + kind.bits / 4;
  if (kind.is === "words") return 4;
  throw new TypeError(`A list in a jsonb has no fields of the kind ${kind.is}`);
}
