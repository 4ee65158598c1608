import { entriesOf, type Field, type Fields, isOptional as mayLack } from "../src/fields/field.js";
import { MAX_TIMESTAMP } from "../src/fields/kinds.js";
import { logFields } from "../src/fields/log.js";
import { receiptFields } from "../src/fields/receipt.js";
import { transactionFields } from "../src/fields/transaction.js";
import { moduleText } from "./module-text.js";
import { blockFields, constantOf, fieldNames, type NodeList, nodeListOf, nodeLists } from "./objects.js";

/** That everything is there, of the right shape, and repeats what it must: what the long way's parser demands. */
export function shapeModule(): string {
  return moduleText(
    "what each object of an answer must have.",
    {
      "./fields": fieldNames.map(constantOf),
      "../json": ["nodeBehind"],
      "./layout": ["LEFT_VALUE"],
      "../memory": ["leaveUnless"],
      "../object": [
        "checkWords",
        "expectBytes",
        "expectBytesOrNull",
        "expectData",
        "expectInteger",
        "expectIntegerOrNull",
        "expectNumber",
        "expectQuantity",
        "expectQuantityOrNull",
        "expectRepeated",
        "isNull",
        "lengthOf",
        "valueAt",
      ],
    },
    `
export function checkHeader(header: usize): void {
${checksOf("header", blockFields)}
}

/** \`number\`: the header's; \`index\`: the transaction's place. */
export function checkTransaction(transaction: usize, header: usize, number: u64, index: u32): void {
${repeatsInBlock("transaction", transactionFields)}
${checksOf("transaction", transactionFields)}
}

export function checkReceipt(receipt: usize, transaction: usize, header: usize, number: u64, index: u32): void {
${repeatsInBlock("receipt", receiptFields)}
${checksOf("receipt", receiptFields)}
}

/** Its transaction was checked: it repeats that one's text. */
export function checkLog(log: usize, transaction: usize): void {
${repeatsOfTransaction("log", logFields)}
${checksOf("log", logFields)}
}

${nodeLists.map(checkListOf).join("\n\n")}
`,
  );
}

function checkListOf({ field, title, fields }: NodeList): string {
  return `function check${title}(object: usize): void {
  const count = lengthOf(object, ${constantOf(field)});
  let item = valueAt(object, ${constantOf(field)});
  for (let i: usize = 0; i < count; i++) {
${checksOf("item", fields, "    ")}
    item = nodeBehind(item);
  }
}`;
}

function checksOf(object: string, fields: Fields, indent = "  "): string {
  return entriesOf(fields)
    .filter(([, { repeats, unread, echoes }]) => (repeats ?? unread ?? echoes) === undefined)
    .flatMap(([name, field]) => checkOf(object, constantOf(name), field))
    .map((line) => indent + line)
    .join("\n");
}

function checkOf(object: string, constant: string, field: Field): string[] {
  const { kind, missing } = field;
  const isOptional = mayLack(field) || missing !== undefined;
  const orNull = isOptional ? "OrNull" : "";
  const place = `${object}, ${constant}`;
  const there = isOptional ? [] : [`leaveUnless(!isNull(${place}), LEFT_VALUE);`];
  switch (kind.is) {
    case "integer":
      return [`expectInteger${orNull}(${place}, ${kind.max});`];
    case "time":
      return [`expectInteger${orNull}(${place}, ${MAX_TIMESTAMP});`];
    case "quantity":
      return [`expectQuantity${orNull}(${place}, ${kind.bits});`];
    case "word":
      return [`expectQuantity${orNull}(${place}, 256);`];
    case "bytes":
      return [`expectBytes${orNull}(${place}, ${kind.bytes});`];
    case "data":
      return [`${isOptional ? `if (!isNull(${place})) ` : ""}expectData(${place});`];
    case "words":
      return [...there, `checkWords(${place}, ${kind.most});`];
    case "objects": {
      const list = nodeListOf(kind.of);
      const items = list === undefined ? [] : [`check${list.title}(${object});`];
      return [...there, `leaveUnless(lengthOf(${place}) <= ${kind.most}, LEFT_VALUE);`, ...items];
    }
    case "false":
      // The reader takes nothing but false.
      return [];
    case "text":
      throw new TypeError(`${constant}: no answer has a field of this kind`);
  }
}

function repeatsInBlock(object: string, fields: Fields): string {
  return repeatsOf(fields, (constant, repeats) => {
    switch (repeats) {
      case "index":
        return `expectNumber(${object}, ${constant}, index as u64);`;
      case "block.number":
        return `expectNumber(${object}, ${constant}, number);`;
      case "block.hash":
        return `expectRepeated(${object}, ${constant}, header, HASH);`;
      case "transaction.hash":
        return `expectRepeated(${object}, ${constant}, transaction, HASH);`;
    }
  });
}

function repeatsOfTransaction(object: string, fields: Fields): string {
  return repeatsOf(fields, (constant, repeats) => {
    const other = repeats === "transaction.hash" ? "HASH" : transactionsOwn(repeats);
    return `expectRepeated(${object}, ${constant}, transaction, ${other});`;
  });
}

/** The field of a transaction that repeats the same. */
function transactionsOwn(repeats: Field["repeats"]): string {
  const found = entriesOf(transactionFields).find(([, field]) => field.repeats === repeats);
  if (found === undefined) throw new TypeError(`A transaction does not repeat ${repeats}`);
  return constantOf(found[0]);
}

function repeatsOf(
  fields: Fields,
  line: (constant: string, repeats: NonNullable<Field["repeats"]>) => string,
): string {
  return entriesOf(fields)
    .flatMap(([name, { repeats }]) => (repeats === undefined ? [] : [`  ${line(constantOf(name), repeats)}`]))
    .join("\n");
}
