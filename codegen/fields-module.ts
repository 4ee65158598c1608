import { entriesOf } from "../src/fields/field.js";
import { logFields } from "../src/fields/log.js";
import { receiptFields } from "../src/fields/receipt.js";
import { transactionFields } from "../src/fields/transaction.js";
import { moduleText } from "./module-text.js";
import { blockFields, constantOf, fieldNames, nodeLists, objectKinds } from "./objects.js";

const slotBytes = 8;

/** The numbers of fields and of kinds of objects, what each list holds, and how large an object is. */
export function fieldsModule(): string {
  const numbers = fieldNames.map((name, index) => `export const ${constantOf(name)}: i32 = ${index + 1};`);
  const kinds = objectKinds.map(({ name }, index) => `export const ${name}: i32 = ${index};`);
  const sizes = objectKinds.map(({ name, names }) => {
    const last = Math.max(...names.map((each) => fieldNames.indexOf(each) + 1));
    return `  if (kind === ${name}) return ${(last + 1) * slotBytes};`;
  });
  const items = nodeLists.map(({ field, kind }) => `  if (field === ${constantOf(field)}) return ${kind};`);
  return moduleText(
    "the fields of a node's answer by number, and the kinds of objects that have them.",
    {},
    `
${numbers.join("\n")}
export const FIELDS: i32 = ${fieldNames.length + 1};

${kinds.join("\n")}
export const KINDS: i32 = ${objectKinds.length};

/** A slot is where a value's text begins, and its length. */
export const SLOT_BYTES: usize = ${slotBytes};

/** Bytes of an object with its slots. */
export function bytesOf(kind: i32): usize {
${sizes.join("\n")}
  return ${(fieldNames.length + 1) * slotBytes};
}

/** Whether a field is a list of 32 bytes each. */
export function isWords(field: i32): bool {
  return ${anyOf(namesOf("words"))};
}

/** The kind of the objects in a list that is read node by node; -1: the field is none. */
export function nodeKind(field: i32): i32 {
${items.join("\n")}
  return -1;
}

/** Whether a field is a text: neither a list, nor an object, nor a number. */
export function isText(field: i32): bool {
  return !(${anyOf([...namesOf("words"), ...namesOf("objects"), ...namesOf("false"), "result", "id"])});
}

/** Whether a field is a boolean that must not be true. */
export function isFalse(field: i32): bool {
  return ${anyOf(namesOf("false"))};
}
`,
  );
}

/** Names each field, with a bit for each kind of objects that has it. */
export function namesModule(): string {
  const calls = fieldNames.map((name) => {
    const kinds = objectKinds.filter(({ names }) => names.includes(name));
    return `  name(${constantOf(name)}, "${name}", ${kinds.map((kind) => `(1 << ${kind.name})`).join(" | ")});`;
  });
  return moduleText(
    "the names of fields, and which kinds of objects know them.",
    {
      "./fields": [...fieldNames.map(constantOf), ...objectKinds.map(({ name }) => name)],
      "../names": ["name"],
    },
    `
export function nameFields(): void {
${calls.join("\n")}
}
`,
  );
}

function namesOf(is: "words" | "objects" | "false"): string[] {
  const all = [
    logFields,
    receiptFields,
    transactionFields,
    blockFields,
    ...nodeLists.map(({ fields }) => fields),
  ];
  const entries = all
    .flatMap(entriesOf)
    .filter(([, { kind, unread }]) => kind.is === is && unread === undefined);
  return [...new Set(entries.map(([name]) => name))];
}

function anyOf(names: readonly string[]): string {
  return names.map((name) => `field === ${constantOf(name)}`).join(" || ");
}
