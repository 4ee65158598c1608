// From stored logs to rows of event tables. There is one input for every way: rows of the table `logs` as PostgreSQL's
// binary COPY has them. A block's are encoded before its commit; those of stored blocks are copied out. So an event table
// is a function of stored logs, literally, and a row does not depend on when it was made.

import { FieldWriter, viewOf } from "../abi/field-writer.js";
import type { RawLog } from "../abi/reading.js";
import { blocksTable } from "../store/blocks-table.js";
import { logsTable } from "../store/logs-table.js";
import type { Decoder } from "./decoder.js";

/** Rows of one table in the binary COPY format, without its header and trailer. */
export interface EncodedRows {
  bytes: Buffer;
  count: number;
}

/** What decoders make of logs. */
export interface DecodedLogs {
  rows: ReadonlyMap<Decoder, EncodedRows>;
  /** Logs that were a decoder's by topics and address, and do not have its event's shape: rows of decode_misfits. */
  misfits: EncodedRows;
}

/** The table of logs that were matched and have no row. It is listed in chain_tables, so its rows go with their block. */
export const misfitsTable = "decode_misfits";
export const misfitsColumns = ["block_number", "log_index", "decoder"];

/**
 * @param logs Rows of `logs`, without the format's header and trailer.
 * @param timestampOf The 8 bytes of a block's time.
 * @param wants Whether a decoder is to have the rows of a block. All, if it is left out.
 */
export type Decode = (
  logs: Buffer,
  timestampOf: (blockNumber: number) => Buffer,
  wants?: (decoder: Decoder, blockNumber: number) => boolean,
) => DecodedLogs;

// Where a row's fields begin, each behind the four bytes of its length. Those before the topics are never null.
const at = { blockNumber: 6, logIndex: 18, transactionHash: 62, address: 106, topics: 126 };
const columnsBefore = [
  "block_number",
  "log_index",
  "block_hash",
  "transaction_hash",
  "transaction_index",
  "address",
];
const expectedColumns = [...columnsBefore, "topic0", "topic1", "topic2", "topic3", "data"];
const knownFields = expectedColumns.length;

/** Where the time begins in a row of `blocks`, behind its length. */
const timestampAt = 90;

/** Says it where the fields were laid out anew: everything here reads by place. */
export function checkLayout(): void {
  const columns = logsTable.columns.slice(0, knownFields).join();
  const own = blocksTable.columns.slice(0, 4).join();
  if (columns !== expectedColumns.join() || own !== "number,hash,parent_hash,timestamp")
    throw new TypeError(
      `logs (${columns}) or blocks (${own}) are laid out otherwise than decode-logs.ts reads them`,
    );
}

/** The 8 bytes of a block's time, of its row of `blocks` in the binary COPY format. */
export function timestampOfRow(row: Buffer): Buffer {
  return row.subarray(timestampAt, timestampAt + 8);
}

/** Makes a function that decodes with all of these at once: each log is looked up once, however many there are. */
export function createDecode(decoders: readonly Decoder[]): Decode {
  checkLayout();
  const byTopic = new Map<number, Decoder[]>();
  const anonymous: Decoder[] = [];
  for (const decoder of decoders) {
    const { topic0 } = decoder.event;
    if (topic0 === undefined) anonymous.push(decoder);
    else {
      const key = topic0.readUIntBE(0, 6);
      byTopic.set(key, [...(byTopic.get(key) ?? []), decoder]);
    }
  }
  const none: readonly Decoder[] = [];

  return (logs, timestampOf, wants) => {
    const writers = new Map<Decoder, { out: FieldWriter; count: number }>();
    const misfits = { out: new FieldWriter(Buffer.alloc(0)), count: 0 };
    const view = viewOf(logs);
    const topics = [0, 0, 0, 0];
    const raw: RawLog = { bytes: logs, view, topicCount: 0, topics, dataAt: 0, dataLength: 0 };
    let row = 0;
    while (row < logs.length) {
      const fields = view.getInt16(row);
      let next = row + at.topics;
      let topicCount = 0;
      for (let i = 0; i < 4; i += 1) {
        if (view.getInt32(next) === 32) {
          topics[topicCount] = next + 4;
          topicCount += 1;
          next += 36;
        } else next += 4;
      }
      const dataLength = view.getInt32(next);
      const dataAt = next + 4;
      next = dataAt + dataLength;
      // Columns that a newer schema has.
      for (let i = knownFields; i < fields; i += 1) next += 4 + Math.max(0, view.getInt32(next));
      const first = topics[0] as number;
      const named = topicCount === 0 ? none : (byTopic.get(logs.readUIntBE(first, 6)) ?? none);
      if (named.length + anonymous.length > 0) {
        raw.topicCount = topicCount;
        raw.dataAt = dataAt;
        raw.dataLength = dataLength;
        for (const decoder of named)
          if (decoder.event.topic0?.compare(logs, first, first + 32) === 0) take(decoder, row);
        for (const decoder of anonymous) take(decoder, row);
      }
      row = next;
    }

    function take(decoder: Decoder, from: number): void {
      const { event, addresses } = decoder;
      if (raw.topicCount !== event.topics) return;
      const blockNumber = Number(view.getBigInt64(from + at.blockNumber));
      if (wants !== undefined && !wants(decoder, blockNumber)) return;
      if (addresses !== null) {
        const address = logs.toString("latin1", from + at.address, from + at.address + 20);
        if (!addresses.has(address)) return;
      }
      // Another event of the same contract has this topic0, and other data.
      if (decoder.definition.exactData && raw.dataLength !== (event.frames[0]?.headBytes ?? 0)) return;
      for (const { topic, byte, words } of decoder.where) {
        if (topic === -1 && byte + 32 > raw.dataLength) continue;
        const word = topic === -1 ? raw.dataAt + byte : (topics[topic] as number);
        if (!words.has(logs.toString("latin1", word, word + 32))) return;
      }
      let writer = writers.get(decoder);
      if (writer === undefined) {
        writer = { out: new FieldWriter(Buffer.allocUnsafe(1_024)), count: 0 };
        writers.set(decoder, writer);
      }
      const { out } = writer;
      const began = out.at;
      out.row(event.columns.length + 6);
      out.bytea(logs, from + at.blockNumber, 8);
      out.bytea(logs, from + at.logIndex, 4);
      out.bytea(timestampOf(blockNumber), 0, 8);
      out.bytea(logs, from + at.transactionHash, 32);
      out.bytea(logs, from + at.address, 20);
      if (event.decode(raw, out)) {
        writer.count += 1;
        return;
      }
      out.at = began;
      misfits.out.row(misfitsColumns.length);
      misfits.out.bytea(logs, from + at.blockNumber, 8);
      misfits.out.bytea(logs, from + at.logIndex, 4);
      misfits.out.integer(decoder.id);
      misfits.count += 1;
    }

    const rows = new Map(
      [...writers]
        .filter(([, { count }]) => count > 0)
        .map(([decoder, writer]) => [decoder, encoded(writer)] as const),
    );
    return { rows, misfits: encoded(misfits) };
  };
}

function encoded({ out, count }: { out: FieldWriter; count: number }): EncodedRows {
  return { bytes: out.memory.subarray(0, out.at), count };
}
