// Values that are no single word: bytes, text, arrays, and structs within arrays.

import { isUtf8 } from "node:buffer";
import { elementOids, type FieldWriter } from "./field-writer.js";
import { columnType } from "./flatten.js";
import { type AbiType, fieldKey, sumOf } from "./parse-type.js";
import type { Reading } from "./reading.js";
import { isPadded, type Outcome, type Scalar, scalarOf, writeScalar } from "./scalars.js";

/** Writes the value whose place is `at`; an offset there is counted from `from`. */
export function writeDynamic(
  type: AbiType,
  reading: Reading,
  from: number,
  at: number,
  out: FieldWriter,
): Outcome {
  if (type.kind === "bytes" || type.kind === "string") return writeBytes(type.kind, reading, from, at, out);
  if (type.kind === "array" && columnType(type) !== "jsonb") return writeArray(type, reading, from, at, out);
  const json = new JsonReader(reading);
  const text = json.read(type, from, at);
  if (text === undefined) return "misfit";
  if (json.noText) return "no-text";
  out.jsonb(text);
  return "written";
}

function writeBytes(
  kind: "bytes" | "string",
  reading: Reading,
  from: number,
  at: number,
  out: FieldWriter,
): Outcome {
  const span = spanOf(reading, from, at);
  if (span === undefined) return "misfit";
  if (kind === "string" && !isText(reading.bytes, span)) return "no-text";
  out.bytea(reading.bytes, span.at, span.length);
  return "written";
}

function writeArray(
  type: AbiType & { kind: "array" },
  reading: Reading,
  from: number,
  at: number,
  out: FieldWriter,
): Outcome {
  const { item } = type;
  const items = itemsOf(type, reading, from, at);
  if (items === undefined) return "misfit";
  const scalar = scalarOf(item);
  const began = out.at;
  const array = out.beginArray(elementOid(item), items.count);
  let outcome: Outcome = "written";
  for (let i = 0; i < items.count; i += 1) {
    const itemAt = items.at + i * item.headBytes;
    const one = scalar
      ? writeScalar(scalar, reading, itemAt, out)
      : writeDynamic(item, reading, items.at, itemAt, out);
    if (one === "misfit") {
      out.at = began;
      return one;
    }
    // What comes behind it may still be no array at all.
    if (one === "no-text") outcome = one;
  }
  if (outcome === "no-text") out.at = began;
  else out.endArray(array);
  return outcome;
}

function elementOid(item: AbiType): number {
  const type = columnType(item);
  if (!(type in elementOids)) throw new TypeError(`no array of ${type}`);
  return elementOids[type as keyof typeof elementOids];
}

/** Where an array's items stand, side by side, and how many they are; offsets among them are counted from there. */
function itemsOf(
  { dynamic, length, item }: AbiType & { kind: "array" },
  reading: Reading,
  from: number,
  at: number,
): { at: number; count: number } | undefined {
  // Static: its bytes were taken with those of what it stands in.
  if (!dynamic) return { at, count: length ?? 0 };
  const start = reading.follow(from, at);
  const count = length ?? reading.lengthAt(start);
  const first = length === undefined ? start + 32 : start;
  return count >= 0 && reading.take(first, count * item.headBytes) ? { at: first, count } : undefined;
}

interface Span {
  at: number;
  length: number;
}

function spanOf(reading: Reading, from: number, at: number): Span | undefined {
  const start = reading.follow(from, at);
  const length = reading.lengthAt(start);
  return length >= 0 && reading.take(start + 32, length) ? { at: start + 32, length } : undefined;
}

function isText(bytes: Buffer, { at, length }: Span): boolean {
  const text = bytes.subarray(at, at + length);
  return isUtf8(text) && !text.includes(0);
}

/** Values as JSON: numbers as text, since JSON's readers lose those above 2^53; bytes as 0x text. */
class JsonReader {
  /** Whether a text was met that PostgreSQL cannot hold. */
  noText = false;
  readonly #reading: Reading;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Undefined: it does not have the type's shape. */
  read(type: AbiType, from: number, at: number): string | undefined {
    const reading = this.#reading;
    switch (type.kind) {
      case "bytes": {
        const span = spanOf(reading, from, at);
        return span && this.#hex(span.at, span.length);
      }
      case "string": {
        const span = spanOf(reading, from, at);
        return span && this.#text(span);
      }
      case "array": {
        const items = itemsOf(type, reading, from, at);
        return items && this.#items(type.item, items);
      }
      case "struct":
        return this.#struct(type, from, at);
      default: {
        const scalar = scalarOf(type);
        return scalar && this.#word(type, scalar, at);
      }
    }
  }

  #items(item: AbiType, { at, count }: { at: number; count: number }): string | undefined {
    const parts: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const part = this.read(item, at, at + i * item.headBytes);
      if (part === undefined) return undefined;
      parts.push(part);
    }
    return `[${parts.join(",")}]`;
  }

  #struct({ dynamic, fields }: AbiType & { kind: "struct" }, from: number, at: number): string | undefined {
    let base = from;
    let fieldAt = at;
    if (dynamic) {
      base = this.#reading.follow(from, at);
      fieldAt = base;
      if (!this.#reading.take(base, sumOf(fields))) return undefined;
    }
    const parts: string[] = [];
    for (const [index, field] of fields.entries()) {
      const { type } = field;
      const part = this.read(type, base, fieldAt);
      if (part === undefined) return undefined;
      parts.push(`"${fieldKey(field, index)}":${part}`);
      fieldAt += type.headBytes;
    }
    return `{${parts.join(",")}}`;
  }

  #word({ kind }: AbiType, { bytes: size, signed }: Scalar, at: number): string | undefined {
    const { bytes, view } = this.#reading;
    switch (kind) {
      case "integer": {
        if (!isPadded(view, at, size, signed)) return undefined;
        const value = BigInt(`0x${bytes.toString("hex", at, at + 32)}`);
        return `"${signed ? BigInt.asIntN(256, value) : value}"`;
      }
      case "bool":
        if (!isPadded(view, at, 1, false) || (bytes[at + 31] as number) > 1) return undefined;
        return bytes[at + 31] === 1 ? "true" : "false";
      case "address":
        return isPadded(view, at, 20, false) ? this.#hex(at + 12, 20) : undefined;
      default:
        for (let i = at + size; i < at + 32; i += 1) if (bytes[i] !== 0) return undefined;
        return this.#hex(at, size);
    }
  }

  #hex(at: number, length: number): string {
    return `"0x${this.#reading.bytes.toString("hex", at, at + length)}"`;
  }

  #text(span: Span): string {
    const { bytes } = this.#reading;
    if (!isText(bytes, span)) {
      this.noText = true;
      return "null";
    }
    return JSON.stringify(bytes.toString("utf8", span.at, span.at + span.length));
  }
}
