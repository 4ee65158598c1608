// From the bytes of a log, or of a call's input, to the fields of its row. Nothing is looked up or parsed here that
// follows from the signature: columns are opcodes and offsets.
//
// Anyone may emit anything. What does not have the signature's shape is refused: a topic or a word that is no value of its type
// (an address with bits above its 160, a bool of 2), an offset or a length that leads out of the data. Nothing throws, and what
// is read in all is bounded by the data's length (reading.ts), however often offsets lead to the same place.
// Bytes behind the last value are ignored, as Solidity and viem do.

import { elementOids, type FieldWriter } from "./field-writer.js";
import type { Layout } from "./flatten.js";
import { type RawLog, Reading } from "./reading.js";
import { scalarOf, writeScalar } from "./scalars.js";
import { writeDynamic } from "./write-dynamic.js";

/**
 * Writes a field for each column, then `undecodable` (text[]: the columns that are null since their text is none that
 * PostgreSQL can hold; null: none). Or returns false, with nothing written: the log does not have the signature's shape.
 */
export type Decode = (log: RawLog, out: FieldWriter) => boolean;

export function compileDecoder(
  { columns, frames }: Layout,
  { topics, exactData = false }: { topics: number; exactData?: boolean },
): Decode {
  const fields = columns.map(({ name, abiType, hashed, place }) => ({
    name,
    topic: "topic" in place ? place.topic : -1,
    frame: "frame" in place ? place.frame : 0,
    byte: "frame" in place ? place.byte : 0,
    scalar: scalarOf(abiType, hashed),
    type: abiType,
  }));
  const headBytes = frames[0]?.headBytes ?? 0;
  const inner = frames.slice(1);
  const bases = new Array<number>(frames.length).fill(0);
  const reading = new Reading();

  return (log, out) => {
    const { dataAt, dataLength } = log;
    if (log.topicCount !== topics) return false;
    if (exactData ? dataLength !== headBytes : dataLength < headBytes) return false;
    reading.begin(log, headBytes);
    bases[0] = dataAt;
    let frame = 0;
    for (const { parent, byte, headBytes } of inner) {
      const from = bases[parent] as number;
      const base = reading.follow(from, from + byte);
      if (!reading.take(base, headBytes)) return false;
      frame += 1;
      bases[frame] = base;
    }
    const began = out.at;
    let undecodable: string[] | undefined;
    for (const field of fields) {
      const from = bases[field.frame] as number;
      const at = field.topic === -1 ? from + field.byte : (log.topics[field.topic] as number);
      const outcome = field.scalar
        ? writeScalar(field.scalar, log, at, out)
        : writeDynamic(field.type, reading, from, at, out);
      if (outcome === "misfit") {
        out.at = began;
        return false;
      }
      if (outcome === "no-text") {
        out.null();
        undecodable ??= [];
        undecodable.push(field.name);
      }
    }
    if (undecodable === undefined) out.null();
    else {
      const array = out.beginArray(elementOids.text, undecodable.length);
      for (const name of undecodable) out.text(name);
      out.endArray(array);
    }
    return true;
  };
}
