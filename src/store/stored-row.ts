import type { Extra, Hex, Quantity } from "../block.js";
import { isBytes, isObject, isWords } from "./stored-item.js";

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

  isNull(column: string): boolean {
    return this.#row[column] === null;
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

  data(column: string): Hex {
    return this.#read(column, "bytes", (value) => isBytes(value)) as Hex;
  }

  /** bytea[] of 32 bytes each. */
  words(column: string): Hex[] {
    return this.#read(column, "a list of 32 bytes each", isWords) as Hex[];
  }

  integer(column: string, { max = Number.MAX_SAFE_INTEGER }: { max?: number } = {}): number {
    const fits = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;
    return this.#read(column, `a whole number from 0 to ${max}`, fits) as number;
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

  /** A number that is stored as 32 bytes. */
  word(column: string): Quantity {
    const padded = this.#read(column, "32 bytes", (value) => isBytes(value, 32)) ?? "0x0";
    return `0x${(padded as Hex).slice(2).replace(/^0+(?=.)/, "")}`;
  }

  /** One of these words. */
  text(column: string, oneOf: readonly string[]): string {
    const fits = (value: unknown) => oneOf.some((each) => each === value);
    return this.#read(column, oneOf.join(", "), fits) as string;
  }

  extra(column: string): Extra | null {
    if (this.#row[column] === null) return null;
    return (this.#read(column, "an object with fields", isExtra) ?? null) as Extra | null;
  }

  /** jsonb: a list of objects that have these fields and no others. */
  list(column: string, isItem: (value: unknown) => boolean, names: readonly string[]): unknown[] {
    const isList = (value: unknown) => Array.isArray(value) && value.every(isItem);
    return this.#read(column, `a list of {${names.join(", ")}}`, isList) as unknown[];
  }

  #read(column: string, expected: string, fits: (value: unknown) => boolean): unknown {
    const value = this.#row[column];
    if (fits(value)) return value;
    this.wrong(column, expected, value);
    return undefined;
  }
}

function isExtra(value: unknown): boolean {
  return isObject(value) && Object.keys(value).length > 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "nothing");
}
