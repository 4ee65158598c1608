// One JSON object of a node's answer, and where in the answer it stands.
//
// Every read names its field, so that whatever is wrong says where: `receipts[3].logs[0].data`. The
// path is put together only when something is wrong.

import type { Extra, Hex, Quantity } from "../../block.js";
import { BadResponseError } from "../../errors.js";
import { describeValue } from "./describe-value.js";
import { HexReader } from "./hex-reader.js";
import { unstorableReason } from "./unstorable-reason.js";

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
  readonly #fields: Record<string, unknown>;
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

  /** Whether the field is missing, or null. */
  isAbsent(field: string): boolean {
    return this.#fields[field] === undefined || this.#fields[field] === null;
  }

  /** Exactly `length` bytes. */
  bytes(field: string, length: number): Hex {
    return this.#bytes(field, this.#fields[field], length);
  }

  bytesOrNull(field: string, length: number): Hex | null {
    const value = this.#fields[field];
    return value === undefined || value === null ? null : this.#bytes(field, value, length);
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
    return value === undefined || value === null ? null : this.#quantity(field, value, bits);
  }

  /** A quantity from 0 to `max`, as a number. */
  integer(field: string, max: number): number {
    return this.#integer(field, this.#fields[field], max);
  }

  integerOrNull(field: string, max: number): number | null {
    const value = this.#fields[field];
    return value === undefined || value === null ? null : this.#integer(field, value, max);
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

  /** The field repeats what is said elsewhere: these 32 bytes. */
  expectWord(field: string, expected: Hex): void {
    const value = this.#fields[field];
    if (value !== expected && this.bytes(field, 32) !== expected) this.fail(field, expected, value);
  }

  /** The field repeats what is said elsewhere: this number. */
  expectQuantity(field: string, expected: Quantity): void {
    const value = this.#fields[field];
    if (value !== expected && this.answer.hex.quantity(value, 64) !== expected)
      this.fail(field, expected, value);
  }

  /**
   * The fields that are not `known` and not null, as the node sent them. They end up in jsonb, so one
   * that jsonb cannot hold is a bad response. A field `__proto__` is left out: nobody means it well.
   */
  extra(known: ReadonlySet<string>): Extra | null {
    let extra: Extra | null = null;
    for (const field of Object.keys(this.#fields)) {
      if (known.has(field) || this.isAbsent(field) || field === "__proto__") continue;
      const value = this.#fields[field];
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
    return this.answer.hex.bytes(value, length) ?? this.fail(field, `${length} bytes of hex`, value);
  }

  #quantity(field: string, value: unknown, bits: number): Quantity {
    return (
      this.answer.hex.quantity(value, bits) ?? this.fail(field, `a quantity of at most ${bits} bits`, value)
    );
  }

  #integer(field: string, value: unknown, max: number): number {
    const quantity = this.answer.hex.quantity(value, 64);
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
