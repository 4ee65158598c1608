import { decimalText, isRawNumber, type RawNumber } from "../exact-number.js";

/**
 * A JSON value as the text in which PostgreSQL gives a jsonb back (jsonb_send, src/backend/utils/adt/
 * jsonb.c): keys ordered by their length in bytes, then by their bytes; ", " and ": " between. So the
 * bytes that are written are those that COPY reads back. Members that are undefined are left out.
 */
export function jsonbText(value: unknown): string {
  if (isRawNumber(value)) return numberText(value);
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const keyed = members.map(([key, member]) => ({ key, bytes: Buffer.from(key), member }));
    keyed.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
    return `{${keyed.map(({ key, member }) => `${JSON.stringify(key)}: ${jsonbText(member)}`).join(", ")}}`;
  }
  return typeof value === "number" ? numberText(value) : JSON.stringify(value);
}

/** As PostgreSQL's numeric prints it, without an exponent. */
function numberText(value: RawNumber | number): string {
  const text = decimalText(value);
  if (text === undefined) throw new TypeError(`jsonb holds no ${JSON.stringify(value)}`);
  return text;
}
