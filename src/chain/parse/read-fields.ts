import type { Hex, Quantity } from "../../block.js";
import { blankOf } from "../../fields/blank.js";
import { entriesOf, type Field, type Fields, isKept, isNullable, type ObjectOf } from "../../fields/field.js";
import { MAX_TIMESTAMP } from "../../fields/kinds.js";
import type { AnswerObject } from "./answer-object.js";

/** What an answer says elsewhere of the block, and of the transaction that an object belongs to. */
export interface Place {
  blockHash: Hex;
  blockNumberHex: Quantity;
  /** The transaction's. */
  index: number;
  indexHex: Quantity;
  transactionHash: Hex;
}

/** Reads an object. Throws BadResponseError, also if it says that it belongs elsewhere. `place` may be null where nothing of it is repeated. */
export type FieldReader<F, More extends string = never> = (
  raw: AnswerObject,
  place: Place | null,
) => ObjectOf<F> & Record<More, null>;

type Read = (raw: AnswerObject, place: Place | null) => unknown;

/**
 * Makes what reads objects with these fields: those first that must agree with what is said elsewhere. What is read has
 * the names of `more` as well, null, for the caller to set.
 */
export function readerOf<F extends Fields, More extends string = never>(
  fields: F,
  more: readonly More[] = [],
): FieldReader<F, More> {
  const entries = entriesOf(fields);
  const expectations = entries.flatMap(([name, field]) => expectationOf(name, field) ?? []);
  const kept = entries.filter(([, field]) => isKept(field));
  const names = kept.map(([name]) => name);
  const reads = kept.map(([name, field]) => readOf(name, field));
  const blank = blankOf([...names, ...more]);
  return (raw, place) => {
    for (const expect of expectations) expect(raw, place);
    const object = { ...blank };
    for (let i = 0; i < names.length; i += 1) object[names[i] as string] = reads[i]?.(raw, place);
    return object as ObjectOf<F> & Record<More, null>;
  };
}

/** The fields that are known: what is not among them, or others like these, is `extra`. */
export function knownFields(...all: readonly Fields[]): ReadonlySet<string> {
  return new Set(all.flatMap(Object.keys));
}

function placed(place: Place | null): Place {
  if (place === null) throw new TypeError("A field that repeats another one is read without its place");
  return place;
}

function expectationOf(name: string, { repeats, kind }: Field): Read | null {
  if (kind.is === "false") {
    return (raw) => raw.value(name) === true && raw.fail(name, kind.unless, true);
  }
  if (repeats === undefined) return null;
  switch (repeats) {
    case "block.hash":
      return (raw, place) => raw.expectWord(name, placed(place).blockHash);
    case "block.number":
      return (raw, place) => raw.expectQuantity(name, placed(place).blockNumberHex);
    case "index":
      return (raw, place) => raw.expectQuantity(name, placed(place).indexHex);
    case "transaction.hash":
      return (raw, place) => raw.expectWord(name, placed(place).transactionHash);
  }
}

function readOf(name: string, field: Field): Read {
  const { repeats, missing } = field;
  if (repeats === "index") return (_, place) => placed(place).index;
  if (repeats === "transaction.hash") return (_, place) => placed(place).transactionHash;
  const read =
    isNullable(field) || missing !== undefined ? nullableReadOf(name, field) : requiredReadOf(name, field);
  return missing === undefined ? read : (raw, place) => read(raw, place) ?? missing;
}

function requiredReadOf(name: string, { kind }: Field): Read {
  switch (kind.is) {
    case "integer":
      return (raw) => raw.integer(name, kind.max);
    case "time":
      return (raw) => raw.integer(name, MAX_TIMESTAMP);
    case "quantity":
      return (raw) => raw.quantity(name, kind.bits);
    case "word":
      return (raw) => raw.quantity(name, 256);
    case "bytes":
      return (raw) => raw.bytes(name, kind.bytes);
    case "data":
      return (raw) => raw.data(name);
    case "words":
      return (raw) => raw.words(name, kind.most);
    case "objects": {
      const read = readerOf(kind.of);
      return (raw, place) => raw.objects(name, kind.most, (item) => read(item, place));
    }
    case "text":
    case "false":
      throw new TypeError(`${name}: no answer has a field of the kind ${kind.is} to be kept`);
  }
}

function nullableReadOf(name: string, { kind }: Field): Read {
  switch (kind.is) {
    case "integer":
      return (raw) => raw.integerOrNull(name, kind.max);
    case "time":
      return (raw) => raw.integerOrNull(name, MAX_TIMESTAMP);
    case "quantity":
      return (raw) => raw.quantityOrNull(name, kind.bits);
    case "word":
      return (raw) => raw.quantityOrNull(name, 256);
    case "bytes":
      return (raw) => raw.bytesOrNull(name, kind.bytes);
    default: {
      const read = requiredReadOf(name, { kind });
      return (raw, place) => (raw.isAbsent(name) ? null : read(raw, place));
    }
  }
}
