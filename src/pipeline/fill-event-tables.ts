// Whatever is stored and not covered by a decoder gets its rows from `logs`: a contract that was added, a block that was
// written without its rows, a reorg, a child that a factory told of. One operation for all of them, in bites, through the
// door, without a node.

import { copyOut } from "../db/copy-out.js";
import { sendTogether } from "../db/exchange.js";
import type { Tx } from "../db/pool.js";
import { coverFilled, findUncovered, foldDecoded, type UncoveredBlock } from "../decode/coverage.js";
import { type DecodedLogs, misfitsColumns, misfitsTable } from "../decode/decode-logs.js";
import { columnsOf, type Decoder } from "../decode/decoder.js";
import type { DecoderSet } from "../decode/registry.js";
import { blockCondition } from "../store/block-condition.js";

import { asDerivedRowsError } from "../store/derived-rows-error.js";
import type { DerivedSpan } from "../store/derived-table.js";
import { logsTable } from "../store/logs-table.js";
import { changeRows, type Door } from "./change-rows.js";
import { eventTablesName } from "./dependents.js";
import { copyOf } from "./event-tables.js";
import { mergeSpans } from "./merge-spans.js";

export interface FillBite {
  /** The most blocks. */
  blocks: number;
  /** The most logs, unless one block has more. */
  logs?: number;
  from?: number;
  to?: number;
}

export interface Filled {
  /** How many blocks it was; 0: there was nothing to fill. */
  blocks: number;
  /** By table. */
  rows: Record<string, number>;
}

/** How long a bite waits for a lock that somebody holds on an event table: it holds the door meanwhile. */
const lockMs = 500;
const mostLogs = 50_000;

/**
 * Makes the rows of the lowest stored blocks that these decoders do not cover. Each block's are replaced as a whole: so to
 * do it twice does no harm. Throws a DerivedRowsError where the server refuses a table's rows; then nothing was changed.
 */
export async function fillEventTables(door: Door, set: DecoderSet, bite: FillBite): Promise<Filled> {
  const ids = set.decoders.map(({ id }) => id);
  const began = performance.now();
  let filled: Filled = { blocks: 0, rows: {} };
  await changeRows(door, {
    async decide(tx) {
      // Behind the wait for the door.
      await tx.query(`set local lock_timeout = ${lockMs}`);
      await foldDecoded(tx);
      const found = await findUncovered(tx, ids, { ...bite, limit: bite.blocks });
      const blocks = cut(found, bite.logs ?? mostLogs);
      if (blocks.length === 0) return null;
      const decoded = await decodeStored(tx, set, blocks);
      const rows = [...decoded.rows].map(([{ table }, { count }]) => [table, count] as const);
      filled = { blocks: blocks.length, rows: Object.fromEntries(rows) };
      return {
        kind: "derive",
        name: eventTablesName,
        spans: spansOf(blocks),
        tables: oldRows(set, blocks),
        async write(tx) {
          await writeDecoded(tx, decoded);
          const seconds = (performance.now() - began) / 1_000;
          for (const { id } of set.decoders) {
            const missing = blocks.filter((block) => block.missing.includes(id));
            if (missing.length > 0)
              await coverFilled(tx, id, {
                spans: spansOf(missing),
                blocksPerSecond: blocks.length / seconds,
              });
          }
        },
      };
    },
    settle: async () => {},
  });
  return filled;
}

/** As many as have so many logs in all; one at least. */
function cut(blocks: readonly UncoveredBlock[], most: number): UncoveredBlock[] {
  let sum = 0;
  const end = blocks.findIndex(({ logs }, i) => {
    sum += logs;
    return sum > most && i > 0;
  });
  return end === -1 ? [...blocks] : blocks.slice(0, end);
}

const spansOf = (blocks: readonly UncoveredBlock[]) =>
  mergeSpans(blocks.map(({ number }) => ({ from: number, to: number })));

/** Decodes stored blocks, each with the decoders that miss it. */
export async function decodeStored(
  tx: Tx,
  { decode }: DecoderSet,
  blocks: readonly Pick<UncoveredBlock, "number" | "missing">[],
): Promise<DecodedLogs> {
  const numbers = blocks.map(({ number }) => number);
  const times = await copyOut(
    tx,
    `select number, timestamp from blocks where ${blockCondition("number", numbers)}`,
  );
  const timeOf = new Map<number, Buffer>();
  // Each row: 2 bytes, and two fields of 8 behind their lengths.
  for (let at = 0; at < times.length; at += 26)
    timeOf.set(Number(times.readBigInt64BE(at + 6)), times.subarray(at + 18, at + 26));
  const logs = await copyOut(
    tx,
    `select ${logsTable.columns.join(", ")} from logs
     where ${blockCondition("block_number", numbers)} order by block_number, log_index`,
  );
  const missing = new Map(blocks.map((block) => [block.number, block.missing]));
  return decode(
    logs,
    (number) => timeOf.get(number) ?? noTime,
    ({ id }, number) => missing.get(number)?.includes(id) === true,
  );
}

const noTime = Buffer.alloc(8);

/** What is there of these blocks, and is made anew. */
function oldRows({ decoders }: DecoderSet, blocks: readonly UncoveredBlock[]): DerivedSpan[] {
  return decoders.flatMap(({ id, table }) => {
    const numbers = blocks.filter(({ missing }) => missing.includes(id)).map(({ number }) => number);
    if (numbers.length === 0) return [];
    return [
      { table, numbers },
      { table: misfitsTable, numbers, only: { column: "decoder", value: id } },
    ];
  });
}

async function writeDecoded(tx: Tx, { rows, misfits }: DecodedLogs): Promise<void> {
  const copies = [...rows].flatMap(([decoder, { bytes }]: [Decoder, { bytes: Buffer }]) =>
    copyOf(decoder.table, columnsOf(decoder), [bytes]),
  );
  await sendTogether(tx, [...copies, ...copyOf(misfitsTable, misfitsColumns, [misfits.bytes])]);
  await tx.query("set constraints all immediate").catch((error: Error) => {
    throw asDerivedRowsError("a deferred constraint", error);
  });
}
