import { createHash } from "node:crypto";
import type { Hex } from "../block.js";
import { digestedColumns, writeDigestedHeader, writeHeader } from "./blocks-table.js";
import { CHAIN_TABLES, type ChainTable, type RowCounts } from "./chain-tables.js";
import { type ByteSpan, CopyWriter } from "./copy-writer.js";
import { RowMemory } from "./row-memory.js";
import type { BlockRows } from "./to-rows.js";

/** A block as it goes to PostgreSQL: its rows in the binary COPY format. */
export interface EncodedBlock {
  number: number;
  hash: Hex;
  parentHash: Hex;
  counts: RowCounts;
  /** Each table's rows, without the format's header and trailer. */
  rows: Record<ChainTable, Buffer>;
  /** SHA-256 over all of them: what blocks.digest holds. */
  digest: Buffer;
}

/** Bytes of a block's rows. */
export function byteLength({ rows }: EncodedBlock): number {
  return Object.values(rows).reduce((sum, { length }) => sum + length, 0);
}

/** The tables that the digest covers, in its order; the block's own row comes last. */
const digestedTables = ["transactions", "logs", "withdrawals", "tokenTransfers"] as const;

/** The first bytes of a row: how many columns it has. */
const rowPrefixBytes = 2;
/** Those of the digest's field: its length, and SHA-256. */
const digestFieldBytes = 4 + 32;

/** Rows of one table: where they lie, and how many they are. */
interface Place extends ByteSpan {
  count: number;
}

/** A block whose rows somebody else has encoded, each table's behind those of the one before. */
export interface KeptBlock extends Pick<EncodedBlock, "number" | "hash" | "parentHash"> {
  /** The block's own row comes last, without its digest. */
  places: Record<ChainTable, Place>;
}

export interface Encoder {
  encode(block: BlockRows): EncodedBlock;
  /** Copies rows out of memory that will be used for something else, and adds their digest. */
  keep(from: Buffer, block: KeptBlock): EncodedBlock;
  /** Takes the memory of blocks for the next ones. Nobody may look at their rows any more, nor be sending them. */
  reuse(blocks: readonly EncodedBlock[]): void;
}

/** Encodes blocks. One per process. */
export function createEncoder(): Encoder {
  const out = new CopyWriter();
  const memory = new RowMemory();
  const lent = new WeakMap<EncodedBlock, Buffer>();

  const encode = (block: BlockRows): EncodedBlock => {
    const digest = createHash("sha256");
    const written = (write: () => void): ByteSpan => {
      const from = out.size;
      write();
      return { from, to: out.size };
    };
    const table = (name: (typeof digestedTables)[number]): ByteSpan => {
      const span = written(() => CHAIN_TABLES[name].write(out, block));
      digest.update(out.bytesOf(span));
      return span;
    };
    out.begin(memory.take());
    const [transactions, logs, withdrawals, tokenTransfers] = [
      table("transactions"),
      table("logs"),
      table("withdrawals"),
      table("tokenTransfers"),
    ];
    const header = written(() => writeDigestedHeader(out, block));
    digest.update(out.bytesOf({ ...header, from: header.from + rowPrefixBytes }));
    const sum = digest.digest();
    const blocks = written(() => writeHeader(out, block, sum));
    const encoded = {
      number: block.header.number,
      hash: block.header.hash,
      parentHash: block.header.parentHash,
      counts: {
        blocks: 1,
        transactions: CHAIN_TABLES.transactions.count(block),
        logs: CHAIN_TABLES.logs.count(block),
        withdrawals: CHAIN_TABLES.withdrawals.count(block),
        tokenTransfers: CHAIN_TABLES.tokenTransfers.count(block),
      },
      // Only now: the memory may have been replaced by a larger one.
      rows: {
        blocks: out.bytesOf(blocks),
        transactions: out.bytesOf(transactions),
        logs: out.bytesOf(logs),
        withdrawals: out.bytesOf(withdrawals),
        tokenTransfers: out.bytesOf(tokenTransfers),
      },
      digest: sum,
    };
    lent.set(encoded, out.memory);
    return encoded;
  };

  const keep = (from: Buffer, { places, ...block }: KeptBlock): EncodedBlock => {
    const start = places.transactions.from;
    const size = places.blocks.to - start;
    const piece = memory.take(size + digestFieldBytes);
    from.copy(piece, 0, start, places.blocks.to);
    const ownRow = places.blocks.from - start;
    const sum = createHash("sha256")
      .update(piece.subarray(0, ownRow))
      .update(piece.subarray(ownRow + rowPrefixBytes, size))
      .digest();
    piece.writeInt32BE(sum.length, size);
    sum.copy(piece, size + 4);
    const rowsOf = ({ from, to }: ByteSpan): Buffer => piece.subarray(from - start, to - start);
    const encoded = {
      ...block,
      counts: {
        blocks: places.blocks.count,
        transactions: places.transactions.count,
        logs: places.logs.count,
        withdrawals: places.withdrawals.count,
        tokenTransfers: places.tokenTransfers.count,
      },
      rows: {
        blocks: piece.subarray(ownRow, size + digestFieldBytes),
        transactions: rowsOf(places.transactions),
        logs: rowsOf(places.logs),
        withdrawals: rowsOf(places.withdrawals),
        tokenTransfers: rowsOf(places.tokenTransfers),
      },
      digest: sum,
    };
    lent.set(encoded, piece);
    return encoded;
  };

  return {
    encode,
    keep,
    reuse(blocks) {
      for (const block of blocks) {
        const piece = lent.get(block);
        if (piece === undefined) continue;
        lent.delete(block);
        memory.give(piece);
      }
    },
  };
}

export { digestedColumns, digestedTables, rowPrefixBytes };
