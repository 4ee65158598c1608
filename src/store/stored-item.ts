import { entriesOf, type Fields, isNullable, type Kind } from "../fields/field.js";

/** Whether a value of a jsonb is an object that has these fields, each of its kind, and no others. */
export function isItemOf(fields: Fields): (value: unknown) => boolean {
  const checks = entriesOf(fields).map(
    ([name, field]) => [name, fitsKind(field.kind), isNullable(field)] as const,
  );
  return (value) =>
    isObject(value) &&
    Object.keys(value).length === checks.length &&
    checks.every(([name, fits, nullable]) => {
      return Object.hasOwn(value, name) && (fits(value[name]) || (nullable && value[name] === null));
    });
}

/** Text in a jsonb that is bytes as a Block holds them. */
export function isHex(value: unknown, length?: number): value is `0x${string}` {
  return isBytes(value, length) && /^0x[0-9a-f]*$/.test(value);
}

/** A bytea[]'s items, or a list in a jsonb. */
export function isWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => isHex(each, 32));
}

/** What a bytea was read as is hex in any case. */
export function isBytes(value: unknown, length?: number): value is `0x${string}` {
  return typeof value === "string" && (length === undefined || value.length === 2 + 2 * length);
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fitsKind(kind: Kind): (value: unknown) => boolean {
  switch (kind.is) {
    case "quantity":
    case "word":
      return isQuantity;
    case "bytes":
      return (value) => isHex(value, kind.bytes);
    case "data":
      return (value) => isHex(value) && value.length % 2 === 0;
    case "words":
      return isWords;
    case "integer":
    case "time":
      return (value) => Number.isSafeInteger(value) && Number(value) >= 0;
    case "objects": {
      const isItem = isItemOf(kind.of);
      return (value) => Array.isArray(value) && value.every(isItem);
    }
    case "text":
      return (value) => kind.oneOf.some((each) => each === value);
    case "false":
      return () => false;
  }
}

function isQuantity(value: unknown): boolean {
  return typeof value === "string" && /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/.test(value);
}
