import { entriesOf } from "../src/fields/field.js";
import { transactionFields } from "../src/fields/transaction.js";
import { TRANSACTION_TYPES, type TransactionType } from "../src/fields/transaction-types.js";
import { moduleText } from "./module-text.js";
import { constantOf, fieldNames, titleOf } from "./objects.js";

/** The types that the direct way takes: those without fields that the schema has no column for. */
export const directTypes: readonly TransactionType[] = TRANSACTION_TYPES.filter(
  ({ fields, receipt }) => receipt === undefined && fields.every((field) => typeof field === "string"),
);

/** Which types of transactions there are, and what their hashes cover. */
export function typesModule(): string {
  const names = Object.keys(transactionFields) as (keyof typeof transactionFields)[];
  const differing = names.filter((name) => {
    const count = directTypes.filter(({ fields }) => fields.includes(name)).length;
    return count > 0 && count < directTypes.length;
  });
  const has = differing.map((name) => {
    const types = directTypes.filter(({ fields }) => fields.includes(name));
    return `export function has${titleOf(name)}(type: u32): bool {\n  return ${anyOf(types)};\n}`;
  });
  return moduleText(
    "the types of transactions.",
    {
      "./fields": fieldNames.map(constantOf),
      "../unhashed": ["expectEmpty", "expectGasPrice", "expectZero"],
    },
    `
/** Whether the encoding of a type is known here. */
export function isKnownType(type: u32): bool {
  return ${anyOf(directTypes)};
}

/** Whether the signature of a type begins with a legacy \`v\`, or with the parity; neither: it has none. */
export function signsWithV(type: u32): bool {
  return ${anyOf(directTypes.filter(({ signature }) => signature === "v"))};
}

export function signsWithParity(type: u32): bool {
  return ${anyOf(directTypes.filter(({ signature }) => signature === "yParity"))};
}

${has.join("\n\n")}

/** What a transaction of a type may have that its hash does not cover. */
export function checkOtherFields(transaction: usize, type: u32): void {
${entriesOf(transactionFields)
  .flatMap(([name, { unhashed }]) => unhashedOf(name, unhashed))
  .join("\n")}
}
`,
  );

  function unhashedOf(name: string, unhashed: string | undefined): string[] {
    if (unhashed === undefined || unhashed === "signature") return [];
    const expect = { empty: "expectEmpty", zero: "expectZero", gasPrice: "expectGasPrice" }[unhashed];
    const everywhere = !differing.some((each) => each === name);
    const otherwise = everywhere ? "" : `if (!has${titleOf(name)}(type)) `;
    return [`  ${otherwise}${expect}(transaction, ${constantOf(name)});`];
  }
}

function anyOf(types: readonly TransactionType[]): string {
  return types.length === 0 ? "false" : types.map(({ type }) => `type === ${type}`).join(" || ");
}
