import { type CompiledEvent, parseEvent } from "../abi/compile.js";
import type { EventDefinition } from "./definition.js";

/** A row of the table decoders, as it is worked with. */
export interface Decoder {
  /** Its version. */
  id: number;
  table: string;
  definition: EventDefinition;
  event: CompiledEvent;
  /** As 20 bytes of latin1. Null: anybody's logs. */
  addresses: ReadonlySet<string> | null;
  where: readonly Condition[];
}

/** A word of a log that must be one of these. */
interface Condition {
  /** In which topic it stands, or at which byte of the data. */
  topic: number;
  byte: number;
  /** As 32 bytes of latin1. */
  words: ReadonlySet<string>;
}

/** Columns before the arguments, in the order in which decodeLogs writes them. */
export const fixedColumns = ["block_number", "log_index", "block_timestamp", "transaction_hash", "address"];

/** Makes a decoder of a definition. Throws a SignatureError for one that no table can be made of. */
export function createDecoder({
  id,
  table,
  definition,
}: Pick<Decoder, "id" | "table" | "definition">): Decoder {
  const { event: source, rename, address, where } = definition;
  const name = /^[^(]*/.exec(source)?.[0] ?? "";
  const renames = Object.entries(rename).map(([path, column]) => [`${name}.${path}`, column]);
  const event = parseEvent(source, { rename: Object.fromEntries(renames) });
  return {
    id,
    table,
    definition,
    event,
    addresses: address === "any" ? null : new Set(address.map(latin1Of)),
    where: Object.entries(where).map(([path, words]) => {
      const place = event.columns.find((column) => column.path === path)?.place;
      if (place === undefined) throw new TypeError(`${table}: ${source} has no argument ${path}`);
      const at = "topic" in place ? { topic: place.topic, byte: -1 } : { topic: -1, byte: place.byte };
      return { ...at, words: new Set(words.map(latin1Of)) };
    }),
  };
}

/** The columns of its table, in their order. */
export function columnsOf({ event }: Pick<Decoder, "event">): string[] {
  return [...fixedColumns, ...event.columns.map(({ name }) => name), "undecodable"];
}

function latin1Of(hex: string): string {
  return Buffer.from(hex.slice(2), "hex").toString("latin1");
}
