// One JSON object of a node's answer, and where in the answer it stands.
//
// Every read names its field, so that whatever is wrong says where: `receipts[3].logs[0].data`. The
// path is put together only when something is wrong.

import type { Extra, Hex, Quantity } from "../../block.js";
import { BadResponseError } from "../../errors.js";
import { describeValue } from "./describe-value.js";
import { HexReader } from "./hex-reader.js";
import { unstorableReason } from "./unstorable-reason.js";

/** As few bytes are a number, as a header's nonce is, and some nodes send it as a quantity. */
const NUMBER_BYTES = 8;

/** Whose answer is read, and about which block, as far as that is known. */
export class Answer {
  readonly hex = new HexReader();

  constructor(
    /** The endpoint's name, never its URL. */
    readonly endpoint: string,
    public block: number | undefined,
  ) {}

  /** The error for whatever is wrong with it. `actual` is shortened. */
  badResponse(field: string, expected: string, actual: unknown): BadResponseError {
    const { endpoint, block } = this;
    return new BadResponseError({ endpoint, block, field, expected, actual: describeValue(actual) });
  }
}

/** Where an object stands: the field it is in, and its place if that field is a list. */
interface Place {
  parent: AnswerObject | null;
  field: string;
  index: number | null;
}

export class AnswerObject {
  readonly answer: Answer;
  #fields: Record<string, unknown>;
  /** Fields whose values are not of their kind, and that were read as null. */
  #misfits: Set<string> | null = null;
  readonly #parent: AnswerObject | null;
  readonly #field: string;
  readonly #index: number | null;

  /** Throws BadResponseError if `value` is not a JSON object. */
  constructor(answer: Answer, value: unknown, { parent, field, index }: Place) {
    this.answer = answer;
    this.#parent = parent;
    this.#field = field;
    this.#index = index;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw answer.badResponse(this.#path(), "an object", value);
    }
    this.#fields = value as Record<string, unknown>;
  }

  value(field: string): unknown {
    return this.#fields[field];
  }

  /** Whether the field says nothing: it is missing, null, or an empty text. */
  isAbsent(field: string): boolean {
    return isNothing(this.#fields[field]);
  }

  /** Gives a field a value that is said elsewhere. */
  fill(field: string, value: unknown): void {
    this.#fields = { ...this.#fields, [field]: value };
  }

  /** Reads a field under another name from here on. */
  rename(from: string, to: string): void {
    if (this.isAbsent(from)) return;
    const { [from]: value, ...others } = this.#fields;
    this.#fields = { ...others, [to]: value };
  }

  /** What `read` reads of the field; null where that throws, and then it counts as `extra`. */
  orNull(field: string, read: () => unknown): unknown {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof BadResponseError)) throw error;
      this.#misfits ??= new Set();
      this.#misfits.add(field);
      return null;
    }
  }

  /** Exactly `length` bytes. */
  bytes(field: string, length: number): Hex {
    return this.#bytes(field, this.#fields[field], length);
  }

  /** Null also where there are no digits, or too few zeros: what nodes send that have nothing to say. */
  bytesOrNull(field: string, length: number): Hex | null {
    const value = this.#fields[field];
    if (isNothing(value) || value === "0x") return null;
    const isShort = typeof value === "string" && value.length < 2 + 2 * length;
    if (isShort && length > NUMBER_BYTES && /^0x0*$/.test(value)) return null;
    return this.#bytes(field, value, length);
  }

  /** Any number of bytes. */
  data(field: string): Hex {
    const value = this.#fields[field];
    return this.answer.hex.bytes(value) ?? this.fail(field, "whole bytes of hex", value);
  }

  quantity(field: string, bits: number): Quantity {
    return this.#quantity(field, this.#fields[field], bits);
  }

  quantityOrNull(field: string, bits: number): Quantity | null {
    const value = this.#fields[field];
    return isNothing(value) ? null : this.#quantity(field, value, bits);
  }

  /** A quantity from 0 to `max`, as a number. */
  integer(field: string, max: number): number {
    return this.#integer(field, this.#fields[field], max);
  }

  integerOrNull(field: string, max: number): number | null {
    const value = this.#fields[field];
    return isNothing(value) || value === "0x" ? null : this.#integer(field, value, max);
  }

  /** At most `max` values that are not looked into. */
  list(field: string, max: number): unknown[] {
    const value = this.#fields[field];
    if (!Array.isArray(value) || value.length > max) this.fail(field, `a list of at most ${max}`, value);
    return value;
  }

  /** At most `max` objects, each read by `read`. */
  objects<Item>(field: string, max: number, read: (item: AnswerObject, index: number) => Item): Item[] {
    return this.list(field, max).map((value, index) =>
      read(new AnswerObject(this.answer, value, { parent: this, field, index }), index),
    );
  }

  /** At most `max` values of 32 bytes. */
  words(field: string, max: number): Hex[] {
    return this.list(field, max).map(
      (value, index) =>
        this.answer.hex.bytes(value, 32) ?? this.fail(`${field}[${index}]`, "32 bytes of hex", value),
    );
  }

  /** The field, if it is there, repeats what is said elsewhere: these 32 bytes. */
  expectWord(field: string, expected: Hex): void {
    const value = this.#fields[field];
    if (value === expected || isNothing(value)) return;
    if (this.bytes(field, 32) !== expected) this.fail(field, expected, value);
  }

  /** The field, if it is there, repeats what is said elsewhere: this number. */
  expectQuantity(field: string, expected: Quantity): void {
    const value = this.#fields[field];
    if (value === expected || isNothing(value)) return;
    if (value === "0x" || this.answer.hex.quantity(value, 64) !== expected) this.fail(field, expected, value);
  }

  /**
   * The fields that are not `known`, or that were read as null though they are not, as the node sent them. They end up in
   * jsonb, so one that jsonb cannot hold is a bad response. A field `__proto__` is left out: nobody means it well.
   */
  extra(known: ReadonlySet<string>): Extra | null {
    let extra: Extra | null = null;
    for (const field of Object.keys(this.#fields)) {
      if (known.has(field) && this.#misfits?.has(field) !== true) continue;
      const value = this.#fields[field];
      if (value === undefined || value === null || field === "__proto__") continue;
      const reason = unstorableReason(field) ?? unstorableReason(value);
      if (reason !== undefined) this.fail(describeValue(field).slice(1, -1), reason, value);
      extra ??= {};
      extra[field] = value;
    }
    return extra;
  }

  fail(field: string, expected: string, actual: unknown): never {
    throw this.answer.badResponse(this.#path(field), expected, actual);
  }

  #bytes(field: string, value: unknown, length: number): Hex {
    if (length <= NUMBER_BYTES) {
      const quantity = this.answer.hex.quantity(value, 8 * length);
      if (quantity !== undefined) return `0x${quantity.slice(2).padStart(2 * length, "0")}`;
    }
    return this.answer.hex.bytes(value, length) ?? this.fail(field, `${length} bytes of hex`, value);
  }

  #quantity(field: string, value: unknown, bits: number): Quantity {
    return (
      this.answer.hex.quantity(value, bits) ?? this.fail(field, `a quantity of at most ${bits} bits`, value)
    );
  }

  #integer(field: string, value: unknown, max: number): number {
    // Some send a status or a parity so.
    if (typeof value === "boolean" && max === 1) return value ? 1 : 0;
    const quantity = value === "0x" ? undefined : this.answer.hex.quantity(value, 64);
    const integer = quantity === undefined ? Number.NaN : Number.parseInt(quantity, 16);
    return integer <= max ? integer : this.fail(field, `a quantity of at most ${max}`, value);
  }

  #path(field?: string): string {
    const own = this.#index === null ? this.#field : `${this.#field}[${this.#index}]`;
    const path = this.#parent === null ? own : this.#parent.#path(own);
    if (field === undefined) return path === "" ? "block" : path;
    return path === "" ? field : `${path}.${field}`;
  }
}

/** Whether a field with this value says nothing. */
function isNothing(value: unknown): boolean {
  return value === undefined || value === null || value === "";
}
