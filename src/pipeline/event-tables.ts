// Rows of event tables on their way through a commit. They are made before it, from the encoded logs; they go out with the
// block's rows; and whatever is wrong with them, the block goes without.

import type pg from "pg";
import type { Statement } from "../db/exchange.js";
import { multirangeOf, noteDecoded, noteTrouble } from "../decode/coverage.js";
import { type DecodedLogs, misfitsColumns, misfitsTable, timestampOfRow } from "../decode/decode-logs.js";
import { columnsOf, type Decoder } from "../decode/decoder.js";
import { type DecoderSet, decoderSet, type Registry, readRegistry } from "../decode/registry.js";
import { describeError } from "../errors.js";
import type { Logger } from "../logger.js";
import { copyHeader, copyTrailer } from "../store/copy-writer.js";
import { asDerivedRowsError, type DerivedRowsError } from "../store/derived-rows-error.js";
import type { EncodedBlock } from "../store/encode-block.js";
import { mergeSpans } from "./merge-spans.js";

/** What a block's logs became, and which decoders looked at them. */
export interface DecodedBlock extends DecodedLogs {
  decoders: readonly Decoder[];
}

/** A block that may have been decoded. */
interface Given {
  rows: EncodedBlock;
  decoded?: DecodedBlock | undefined;
}

export interface EventTables {
  /** Decodes a block's encoded logs. Undefined: there is nothing to decode, or it cannot be done. Throws nothing. */
  decode(rows: EncodedBlock): DecodedBlock | undefined;
  /** What is sent behind the blocks' rows: their rows in event tables, and the note that they are there. */
  statements(blocks: readonly Given[]): Statement<unknown>[];
  /** The server refused rows of a table: commits go without them for a while. Resolves when it is noted for people. */
  setAside(error: DerivedRowsError): Promise<void>;
  /** Reads what is applied, if that has changed since. To be called outside of a transaction. Throws nothing. */
  refresh(): Promise<void>;
}

/** How long a commit waits for a lock that somebody holds on an event table. */
const lockMs = 250;
/** For so long commits go without a table that was refused; twice as long each time, up to the most. */
const firstRestMs = 1_000;
const longestRestMs = 60_000;
/** What is said of a refusal. */
const reasonLength = 500;

export function createEventTables({
  pool,
  log,
  now = () => performance.now(),
}: {
  pool: pg.Pool;
  log: Logger;
  now?: () => number;
}): EventTables {
  /** Undefined: it was not read yet. */
  let known: string | null | undefined;
  let newest: string | null | undefined = null;
  let set: DecoderSet = decoderSet([]);
  const resting = new Map<number, { untilMs: number; restMs: number }>();
  const isResting = ({ id }: Decoder): boolean => (resting.get(id)?.untilMs ?? 0) > now();

  return {
    decode(rows) {
      if (set.decoders.length === 0) return undefined;
      try {
        const time = timestampOfRow(rows.rows.blocks);
        return { ...set.decode(rows.rows.logs, () => time), decoders: set.decoders };
      } catch (error) {
        log.error(
          { err: error, block: rows.number },
          "a block's logs cannot be decoded; it is stored without",
        );
        return undefined;
      }
    },

    statements(blocks) {
      const written = new Map<Decoder, Given[]>();
      for (const block of blocks)
        for (const decoder of block.decoded?.decoders ?? [])
          if (!isResting(decoder)) written.set(decoder, [...(written.get(decoder) ?? []), block]);
      const copies = [...written].flatMap(([decoder, of]) =>
        copyOf(
          decoder.table,
          columnsOf(decoder),
          of.map(({ decoded }) => decoded?.rows.get(decoder)?.bytes),
        ),
      );
      const misfits = copyOf(
        misfitsTable,
        misfitsColumns,
        // Of decoders that rest too: who fills their rows removes these first.
        blocks.map(({ decoded }) => decoded?.misfits.bytes),
      );
      const notes = notesOf(written).map(({ ids, blocks: of }) =>
        noteDecoded(ids, mergeSpans(of.map(({ rows: { number } }) => ({ from: number, to: number })))),
      );
      const asked = (notes.length === 0 ? [noteDecoded([], [])] : notes).map((note) => ({
        ...attributed("decoded_blocks", note),
        read(answer: pg.QueryResult) {
          newest = note.read(answer);
        },
      }));
      const rows = [...copies, ...misfits];
      if (rows.length === 0) return asked;
      return [
        { query: { text: `set local lock_timeout = ${lockMs}` }, read: () => {} },
        ...rows,
        // What somebody added and deferred is refused here, and not as the transaction commits: then it would be the block's fault.
        attributed("a deferred constraint", {
          query: { text: "set constraints all immediate" },
          read: () => {},
        }),
        ...asked,
      ];
    },

    async setAside(error) {
      const decoder = set.decoders.find(({ table }) => table === error.table);
      const reason = describeError(error, reasonLength);
      log.warn(
        { table: error.table, reason },
        "an event table's rows are refused; blocks are stored without them",
      );
      for (const { id } of decoder === undefined ? set.decoders : [decoder]) {
        const restMs = Math.min(longestRestMs, 2 * (resting.get(id)?.restMs ?? firstRestMs / 2));
        resting.set(id, { restMs, untilMs: now() + restMs });
        // It is for people, and the block is stored: whoever fills the rows meets the same, and notes it too.
        await noteTrouble(pool, id, reason).catch((err: unknown) => log.warn({ err }, "why is not noted"));
      }
    },

    async refresh() {
      if (known !== undefined && newest === known) return;
      let registry: Registry;
      try {
        registry = await readRegistry(pool);
      } catch (err) {
        // What was read last goes on, and blocks that lack rows are filled.
        log.warn(
          { err },
          "which event tables there are is not known; it is asked again after the next commit",
        );
        return;
      }
      known = registry.generation;
      newest = known;
      set = decoderSet(registry.decoders);
      if (registry.unknown.length > 0)
        log.warn(
          { tables: registry.unknown },
          "these event tables were applied by another version of blockmill: blocks are stored without their rows",
        );
    },
  };
}

/** Which decoders wrote which blocks: those with the same blocks together. */
function notesOf(
  written: ReadonlyMap<Decoder, readonly Given[]>,
): { ids: number[]; blocks: readonly Given[] }[] {
  const notes = new Map<string, { ids: number[]; blocks: readonly Given[] }>();
  for (const [{ id }, blocks] of written) {
    const key = multirangeOf(blocks.map(({ rows: { number } }) => ({ from: number, to: number })));
    const note = notes.get(key);
    if (note === undefined) notes.set(key, { ids: [id], blocks });
    else note.ids.push(id);
  }
  return [...notes.values()];
}

/** A COPY of pieces into a derived table; nothing, where there are none. */
export function copyOf(
  table: string,
  columns: readonly string[],
  pieces: readonly (Buffer | undefined)[],
): Statement<unknown>[] {
  const full = pieces.filter((piece) => piece !== undefined && piece.length > 0) as Buffer[];
  if (full.length === 0) return [];
  const list = columns.map((column) => `"${column.replaceAll('"', '""')}"`).join(", ");
  return [
    attributed(table, {
      query: { text: `copy "${table}" (${list}) from stdin (format binary)` },
      data: [copyHeader, ...full, copyTrailer],
      read: () => {},
    }),
  ];
}

function attributed<T>(table: string, statement: Statement<T>): Statement<T> {
  return { ...statement, refused: (error) => asDerivedRowsError(table, error) };
}
