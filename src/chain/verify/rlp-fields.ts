import type { Hex, Quantity } from "../../block.js";
import { type Field, type Fields, isNullable } from "../../fields/field.js";
import { type RlpPlaces, rlpPlacesOf } from "../../fields/rlp-places.js";
import type { RlpWriter } from "./rlp.js";
import { present } from "./verification-error.js";

/** Writes a part of an object as its hash covers it. Throws an UnencodableError if a value is missing. */
export type WriteFields = (writer: RlpWriter, object: object) => void;

/** What an object of the program has under a field's name: a value of the field's kind. */
type Values = Readonly<Record<string, unknown>>;

type WriteValue = (writer: RlpWriter, value: unknown) => void;

/** Makes what writes a whole object: a list of its fields. */
export function listWriterOf(fields: Fields): WriteFields {
  const write = itemsWriterOf(fields);
  return (writer, object) => {
    const mark = writer.size;
    write(writer, object);
    writer.closeList(mark);
  };
}

/** Makes what writes an object's fields, last to first, without the list's own prefix. */
export function itemsWriterOf(fields: Fields): WriteFields {
  const { places, always } = rlpPlacesOf(fields);
  const writes = places.map(writePlaceOf);
  const names = places.map(([first]) => first?.[0] ?? "");
  return (writer, object) => {
    const values = object as Values;
    let last = writes.length - 1;
    while (last >= always && values[names[last] as string] === null) last -= 1;
    for (let i = last; i >= 0; i -= 1) writes[i]?.(writer, object);
  };
}

/** Makes what writes one field. */
export function fieldWriterOf(name: string, field: Field): WriteFields {
  const write = valueWriterOf(name, field);
  if (!isNullable(field)) return (writer, object) => write(writer, (object as Values)[name]);
  if (field.emptyIfNull) return (writer, object) => write(writer, (object as Values)[name] ?? "0x");
  return (writer, object) => write(writer, present((object as Values)[name], name));
}

/** What is missing of two at one place is said of the first. */
function writePlaceOf([first, second]: RlpPlaces["places"][number]): WriteFields {
  if (first === undefined) throw new TypeError("A place of what is hashed has no field");
  const write = fieldWriterOf(...first);
  if (second === undefined) return write;
  const [name] = first;
  const [otherName, other] = second;
  const writeOther = valueWriterOf(otherName, other);
  return (writer, object) => {
    const values = object as Values;
    if (values[name] !== null) write(writer, object);
    else writeOther(writer, present(values[otherName], name));
  };
}

function valueWriterOf(name: string, { kind }: Field): WriteValue {
  switch (kind.is) {
    case "integer":
    case "time":
      return (writer, value) => writer.number(value as number);
    case "quantity":
    case "word":
      return (writer, value) => writer.quantity(value as Quantity);
    case "bytes":
    case "data":
      return (writer, value) => writer.bytes(value as Hex);
    case "words":
      return (writer, value) => writeList(writer, value as Hex[], writeWord);
    case "objects": {
      const write = listWriterOf(kind.of);
      return (writer, value) => writeList(writer, value as object[], write);
    }
    case "text":
    case "false":
      throw new TypeError(`${name}: nothing hashes a field of the kind ${kind.is}`);
  }
}

function writeWord(writer: RlpWriter, word: Hex): void {
  writer.bytes(word);
}

function writeList<Item>(
  writer: RlpWriter,
  items: readonly Item[],
  write: (writer: RlpWriter, item: Item) => void,
): void {
  const mark = writer.size;
  for (let i = items.length - 1; i >= 0; i -= 1) write(writer, items[i] as Item);
  writer.closeList(mark);
}
