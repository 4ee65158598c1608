// Numbers in JSON, kept as they are written where a JavaScript number would be another one.

/** A number that is kept as its text. JSON.stringify writes it as it is. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** What ECMAScript's "JSON.parse source text access" adds, since Node.js 21; TypeScript does not know it yet. */
interface SourceJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
}

const json = JSON as unknown as SourceJson;

/**
 * A number outside of strings with so many digits, or an exponent, that it may not be a JavaScript number. Inside of a string
 * it may match in vain, which costs time only.
 */
const SUSPECT = /[[:,]\s*-?(?:[\d.]{16}|[\d.]+[eE])/;

/** More digits than this are refused before anything is done with them. */
const MAX_DIGITS = 1_000;

/** Parses JSON. A number that no JavaScript number equals, or no safe integer, becomes a RawNumber. Throws what JSON.parse does. */
export function parseExactly(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text);
  return json.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined || isExact(value, source)) return value;
    return json.rawJSON(source);
  });
}

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** The digits of a number without an exponent, as PostgreSQL's numeric prints them; undefined: they are too many. */
export function decimalText(number: RawNumber | number): string | undefined {
  return shifted(typeof number === "number" ? JSON.stringify(number) : number.rawJSON);
}

function isExact(value: number, source: string): boolean {
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) return false;
  const [own, written] = [shifted(JSON.stringify(value)), shifted(source)];
  return own !== undefined && written !== undefined && own === withoutTrailingZeros(written);
}

function withoutTrailingZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Moves the point to where the exponent says. What the point leaves behind is kept: numeric tells 1.50 from 1.5. */
function shifted(text: string): string | undefined {
  const parts = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign = "", whole = "", decimals = "", exponent = "0"] = parts;
  const shift = Number(exponent);
  if (whole.length + decimals.length + Math.abs(shift) > MAX_DIGITS) return undefined;
  const scale = Math.max(0, decimals.length - shift);
  const digits = (whole + decimals + "0".repeat(Math.max(0, shift - decimals.length))).padStart(
    scale + 1,
    "0",
  );
  const left = digits.slice(0, digits.length - scale).replace(/^0+(?=\d)/, "");
  const right = scale === 0 ? "" : `.${digits.slice(digits.length - scale)}`;
  const isZero = /^[0.]*$/.test(left + right);
  return `${isZero ? "" : sign}${left}${right}`;
}
