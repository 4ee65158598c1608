import type { Hex, Quantity } from "../../block.js";
import { blankOf } from "../../fields/blank.js";
import { entriesOf, type Field, type Fields, isKept, isNullable, type ObjectOf } from "../../fields/field.js";
import { MAX_TIMESTAMP } from "../../fields/kinds.js";
import type { AnswerObject } from "./answer-object.js";

/** What an answer says elsewhere of the block, and of the transaction that an object belongs to. */
export interface PlaceInBlock {
  blockHash: Hex;
  blockNumberHex: Quantity;
  /** The transaction's. */
  index: number;
  indexHex: Quantity;
  transactionHash: Hex;
  /** A log's, in its receipt. */
  item?: number;
}

/**
 * Reads an object. Throws BadResponseError, also if it says that it belongs elsewhere. `place` may be null where nothing of
 * it is repeated. `isLenient`: nothing is proven of it, so what its column cannot hold is null, and among its `extra`.
 */
export type FieldReader<F, More extends string = never> = (
  raw: AnswerObject,
  place: PlaceInBlock | null,
  isLenient?: boolean,
) => ObjectOf<F> & Record<More, null>;

type Read = (raw: AnswerObject, place: PlaceInBlock | null) => unknown;

/**
 * Makes what reads objects with these fields: those first that must agree with what is said elsewhere. What is read has
 * the names of `more` as well, null, for the caller to set.
 */
export function readerOf<F extends Fields, More extends string = never>(
  fields: F,
  more: readonly More[] = [],
): FieldReader<F, More> {
  const entries = entriesOf(fields);
  const otherNames = entries.flatMap(([name, field]) => otherNamesOf(name, field));
  const expectations = entries.flatMap(([name, field]) => expectationOf(name, field) ?? []);
  const kept = entries.filter(([, field]) => isKept(field));
  const names = kept.map(([name]) => name);
  const reads = kept.map(([name, field]) => readOf(name, field));
  const leniently = kept.map(([name, field], index) => lenientReadOf(name, field, reads[index] as Read));
  const blank = blankOf([...names, ...more]);
  return (raw, place, isLenient = false) => {
    for (const [name, other] of otherNames) if (raw.isAbsent(name)) raw.rename(other, name);
    for (const { expect, isOfPlace } of expectations) if (!(isLenient && isOfPlace)) expect(raw, place);
    const object = { ...blank };
    const all = isLenient ? leniently : reads;
    for (let i = 0; i < names.length; i += 1) object[names[i] as string] = all[i]?.(raw, place);
    return object as ObjectOf<F> & Record<More, null>;
  };
}

/** Under which names a field is looked for where its own is missing. */
function otherNamesOf(name: string, { alias }: Field): [name: string, other: string][] {
  const snake = name.replace(/[A-Z0-9]+/g, (letters) => `_${letters.toLowerCase()}`);
  return [
    ...(snake === name ? [] : [[name, snake] as [string, string]]),
    ...(alias === undefined ? [] : [[name, alias] as [string, string]]),
  ];
}

/** What is not of a field's kind is null, unless the field must have a value. */
function lenientReadOf(name: string, field: Field, read: Read): Read {
  // It has no column: nothing is lost.
  if (field.echoes !== undefined) return () => null;
  if (field.lax === "place") return (raw, place) => raw.orNull(name, () => read(raw, place)) ?? itemOf(place);
  if (!isNullable(field)) return read;
  return (raw, place) => raw.orNull(name, () => read(raw, place));
}

/** What a log's index is where its node does not tell: its place in its receipt. */
function itemOf(place: PlaceInBlock | null): number {
  return placed(place).item ?? 0;
}

/** The fields that are known: what is not among them, or others like these, is `extra`. */
export function knownFields(...all: readonly Fields[]): ReadonlySet<string> {
  return new Set(all.flatMap(Object.keys));
}

function placed(place: PlaceInBlock | null): PlaceInBlock {
  if (place === null) throw new TypeError("A field that repeats another one is read without its place");
  return place;
}

interface Expectation {
  expect: (raw: AnswerObject, place: PlaceInBlock | null) => void;
  /** It is about a number that follows from the place; a hash tells one branch from another. */
  isOfPlace: boolean;
}

function expectationOf(name: string, { repeats, kind }: Field): Expectation | null {
  if (kind.is === "false") {
    const expect = (raw: AnswerObject) => raw.value(name) === true && raw.fail(name, kind.unless, true);
    return { expect, isOfPlace: false };
  }
  if (repeats === undefined) return null;
  const expected = expectedBy(repeats);
  const isOfPlace = repeats === "index" || repeats === "block.number";
  if (isOfPlace)
    return { expect: (raw, place) => raw.expectQuantity(name, expected(placed(place))), isOfPlace };
  return { expect: (raw, place) => raw.expectWord(name, expected(placed(place))), isOfPlace };
}

function expectedBy(repeats: NonNullable<Field["repeats"]>): (place: PlaceInBlock) => Hex {
  switch (repeats) {
    case "block.hash":
      return ({ blockHash }) => blockHash;
    case "block.number":
      return ({ blockNumberHex }) => blockNumberHex;
    case "index":
      return ({ indexHex }) => indexHex;
    case "transaction.hash":
      return ({ transactionHash }) => transactionHash;
  }
}

function readOf(name: string, field: Field): Read {
  const { repeats, missing, lax } = field;
  if (repeats === "index") return (_, place) => placed(place).index;
  if (repeats === "transaction.hash") return (_, place) => placed(place).transactionHash;
  const read =
    isNullable(field) || missing !== undefined ? nullableReadOf(name, field) : requiredReadOf(name, field);
  if (lax === "empty") return (raw, place) => (raw.isAbsent(name) ? emptyOf(field) : read(raw, place));
  if (lax === "place") return (raw, place) => (raw.isAbsent(name) ? itemOf(place) : read(raw, place));
  return missing === undefined ? read : (raw, place) => read(raw, place) ?? missing;
}

function emptyOf({ kind }: Field): unknown {
  return kind.is === "data" ? "0x" : [];
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
      return (raw, place) =>
        raw.objects(name, kind.most, (item, index) => {
          if (place !== null) place.item = index;
          return read(item, place);
        });
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
