import type { Extra, Hex, Quantity } from "../block.js";

/** A place where stored rows are not what they must be. */
export interface Contradiction {
  table: string;
  /** A column, with the row's place in the block, such as `transactions[3].block_hash`. */
  field: string;
  expected: string;
  actual: string;
}

/**
 * One stored row, read column by column. Anything may stand in it: somebody may have changed it with
 * psql. What has another shape than the parser would let through is added to `wrong`, and read as if it
 * were nothing; so a row with such a value must not be used.
 */
export class StoredRow {
  readonly #table: string;
  readonly #place: string;
  readonly #row: Record<string, unknown>;
  readonly #wrong: Contradiction[];

  constructor(
    row: Record<string, unknown>,
    { table, place, wrong }: { table: string; place: string; wrong: Contradiction[] },
  ) {
    this.#row = row;
    this.#table = table;
    this.#place = place;
    this.#wrong = wrong;
  }

  /** The column says again what is known already. */
  expect(column: string, expected: unknown): void {
    if (this.#row[column] !== expected) this.wrong(column, String(expected), this.#row[column]);
  }

  wrong(column: string, expected: string, actual: unknown): void {
    const field = this.#place === "" ? column : `${this.#place}.${column}`;
    this.#wrong.push({ table: this.#table, field, expected, actual: textOf(actual) });
  }

  bytes(column: string, length: number): Hex {
    return this.#read(column, `${length} bytes`, (value) => isBytes(value, length)) as Hex;
  }

  bytesOrNull(column: string, length: number): Hex | null {
    return this.#row[column] === null ? null : this.bytes(column, length);
  }

  data(column: string): Hex {
    return this.#read(column, "bytes", (value) => isBytes(value)) as Hex;
  }

  /** bytea[] of 32 bytes each. */
  words(column: string): Hex[] {
    return this.#read(column, "a list of 32 bytes each", isWords) as Hex[];
  }

  wordsOrNull(column: string): Hex[] | null {
    return this.#row[column] === null ? null : this.words(column);
  }

  integer(column: string, { max = Number.MAX_SAFE_INTEGER }: { max?: number } = {}): number {
    const fits = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;
    return this.#read(column, `a whole number from 0 to ${max}`, fits) as number;
  }

  integerOrNull(column: string, bounds: { max?: number } = {}): number | null {
    return this.#row[column] === null ? null : this.integer(column, bounds);
  }

  /** Seconds since 1970, as `extract(epoch from ...)` tells them. */
  seconds(column: string): number {
    const whole = (value: unknown) => typeof value === "string" && /^\d{1,13}(?:\.0+)?$/.test(value);
    return Number(this.#read(column, "a time since 1970, to the second", whole));
  }

  /** numeric, of at most so many bits. */
  quantity(column: string, bits: number): Quantity {
    const text = this.#read(column, `a whole number of at most ${bits} bits`, (value) => {
      return typeof value === "string" && /^\d{1,78}$/.test(value) && BigInt(value) < 1n << BigInt(bits);
    });
    return `0x${BigInt((text ?? 0) as string).toString(16)}`;
  }

  quantityOrNull(column: string, bits: number): Quantity | null {
    return this.#row[column] === null ? null : this.quantity(column, bits);
  }

  /** A number that is stored as 32 bytes. */
  word(column: string): Quantity | null {
    if (this.#row[column] === null) return null;
    const padded = this.#read(column, "32 bytes", (value) => isBytes(value, 32)) ?? "0x0";
    return `0x${(padded as Hex).slice(2).replace(/^0+(?=.)/, "")}`;
  }

  extra(column: string): Extra | null {
    if (this.#row[column] === null) return null;
    return (this.#read(column, "an object with fields", isExtra) ?? null) as Extra | null;
  }

  /** jsonb: objects that have these fields and no others. */
  list<Item>(column: string, fields: Record<keyof Item, (value: unknown) => boolean>): Item[] | null {
    if (this.#row[column] === null) return null;
    const names = Object.keys(fields) as (keyof Item & string)[];
    const isItem = (value: unknown): boolean =>
      isObject(value) &&
      Object.keys(value).length === names.length &&
      names.every((name) => Object.hasOwn(value, name) && fields[name](value[name]));
    const isList = (value: unknown) => Array.isArray(value) && value.every(isItem);
    return this.#read(column, `a list of {${names.join(", ")}}`, isList) as Item[];
  }

  #read(column: string, expected: string, fits: (value: unknown) => boolean): unknown {
    const value = this.#row[column];
    if (fits(value)) return value;
    this.wrong(column, expected, value);
    return undefined;
  }
}

/** Text in a jsonb that is bytes as a Block holds them. */
export function isHex(value: unknown, length: number): boolean {
  return isBytes(value, length) && /^0x[0-9a-f]*$/.test(value);
}

export function isQuantity(value: unknown): boolean {
  return typeof value === "string" && /^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/.test(value);
}

/** A bytea[]'s items, or a list in a jsonb. */
export function isWords(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => isHex(each, 32));
}

/** What a bytea was read as is hex in any case. */
function isBytes(value: unknown, length?: number): value is Hex {
  return typeof value === "string" && (length === undefined || value.length === 2 + 2 * length);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isExtra(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}
