/**
 * A JSON value as the text in which PostgreSQL gives a jsonb back (jsonb_send, src/backend/utils/adt/
 * jsonb.c): keys ordered by their length in bytes, then by their bytes; ", " and ": " between. So the
 * bytes that are written are those that COPY reads back. Members that are undefined are left out.
 */
export function jsonbText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(jsonbText).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const keyed = members.map(([key, member]) => ({ key, bytes: Buffer.from(key), member }));
    keyed.sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes));
    return `{${keyed.map(({ key, member }) => `${JSON.stringify(key)}: ${jsonbText(member)}`).join(", ")}}`;
  }
  return typeof value === "number" ? numberText(value) : JSON.stringify(value);
}

/**
 * A number without an exponent, as PostgreSQL's numeric prints it: JavaScript's shortest digits, which
 * read back as the same number, with the point moved to its place.
 */
function numberText(value: number): string {
  const text = JSON.stringify(value);
  const parts = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (parts === null) return text;
  const [, sign = "", whole = "", decimals = "", exponent = ""] = parts;
  const power = Number(exponent);
  const digits = whole + decimals;
  // JavaScript writes an exponent below 1e-6, and from 1e21 on, where no double has decimals.
  return power < 0
    ? `${sign}0.${"0".repeat(-power - 1)}${digits}`
    : `${sign}${digits.padEnd(power + 1, "0")}`;
}
