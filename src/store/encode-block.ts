import { createHash, type Hash } from "node:crypto";
import type { Hex } from "../block.js";
import { beginBlocksRow, blocksTable } from "./blocks-table.js";
import { type BlockTableKey, CHILD_TABLES, type ChildTableKey, type RowCounts } from "./chain-tables.js";
import { type ByteSpan, CopyWriter } from "./copy-writer.js";
import type { DerivedRows, DerivedTable } from "./derived-table.js";
import { coversItself, digestVersion } from "./digest-version.js";
import { RowMemory } from "./row-memory.js";
import type { BlockRows } from "./to-rows.js";

/** A block as it goes to PostgreSQL: its rows in the binary COPY format. */
export interface EncodedBlock {
  number: number;
  hash: Hex;
  parentHash: Hex;
  counts: RowCounts;
  /** Each table's rows by its key, without the format's header and trailer. */
  rows: Record<BlockTableKey, Buffer> & { [derived: string]: Buffer };
  /** The tables beside those of schema.sql that it has rows in, or could have. */
  derived: readonly DerivedTable[];
  /** SHA-256 over the rows of schema.sql's tables: what blocks.digest holds. */
  digest: Buffer;
}

/** Bytes of a block's rows. */
export function byteLength({ rows }: EncodedBlock): number {
  return Object.values(rows).reduce((sum, { length }) => sum + length, 0);
}

/** The first bytes of a row: how many columns it has. */
export const rowPrefixBytes = 2;
/** Those of the last fields of the block's own row: the digest's version, and SHA-256, each behind its length. */
const versionFieldBytes = 4 + 2;
const digestFieldBytes = 4 + 32;

/** Rows of one table: where they lie, and how many they are. */
interface Place extends ByteSpan {
  count: number;
}

/** A block whose rows somebody else has encoded, each table's behind those of the one before. */
export interface KeptBlock extends Pick<EncodedBlock, "number" | "hash" | "parentHash"> {
  /** The block's own row comes last, up to its digest's version. */
  places: Record<BlockTableKey, Place>;
  /** What follows from them; nothing where it is left out. */
  derived?: readonly DerivedRows[];
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

  const written = (write: () => void): ByteSpan => {
    const from = out.size;
    write();
    return { from, to: out.size };
  };

  /** Ends the block's own row, which was written last, with its digest; `digest` has seen the rows of the other tables. */
  const endBlock = (digest: Hash, { from, to }: ByteSpan): { blocks: ByteSpan; sum: Buffer } => {
    out.int2(digestVersion);
    const covered = { from: from + rowPrefixBytes, to: coversItself(digestVersion) ? out.size : to };
    const sum = digest.update(out.bytesOf(covered)).digest();
    out.bytes(sum);
    return { blocks: { from, to: out.size }, sum };
  };

  /** Appends rows that the digest does not cover. `rows` is to be asked for when all is written. */
  const writeDerived = (number: number, derived: readonly DerivedRows[] = []) => {
    const spans = derived.map(({ table, rows }) => written(() => table.write(out, number, rows)));
    return {
      tables: derived.map(({ table }) => table),
      counts: Object.fromEntries(derived.map(({ table, rows }) => [table.key, rows.length])),
      rows: () =>
        Object.fromEntries(
          derived.map(({ table }, index) => [table.key, out.bytesOf(spans[index] ?? nothing)]),
        ),
    };
  };

  const encode = (block: BlockRows): EncodedBlock => {
    const digest = createHash("sha256");
    out.begin(memory.take());
    const spans = eachChild((table) => {
      const span = written(() => table.write(out, block));
      digest.update(out.bytesOf(span));
      return span;
    });
    const header = written(() => beginBlocksRow(out, block));
    const { blocks, sum } = endBlock(digest, header);
    const derived = writeDerived(block.header.number, block.derived);
    const encoded = {
      number: block.header.number,
      hash: block.header.hash,
      parentHash: block.header.parentHash,
      counts: { blocks: 1, ...eachChild((table) => table.count(block)), ...derived.counts },
      // Only now: the memory may have been replaced by a larger one.
      rows: {
        blocks: out.bytesOf(blocks),
        ...eachChild(({ key }) => out.bytesOf(spans[key])),
        ...derived.rows(),
      },
      derived: derived.tables,
      digest: sum,
    };
    lent.set(encoded, out.memory);
    return encoded;
  };

  const keep = (from: Buffer, { places, derived: following, ...block }: KeptBlock): EncodedBlock => {
    const start = places.transactions.from;
    const size = places.blocks.to - start;
    const piece = memory.take(size + versionFieldBytes + digestFieldBytes);
    from.copy(piece, 0, start, places.blocks.to);
    const ownRow = places.blocks.from - start;
    piece.writeInt16BE(blocksTable.columns.length, ownRow);
    out.begin(piece, size);
    const digest = createHash("sha256").update(piece.subarray(0, ownRow));
    const { blocks, sum } = endBlock(digest, { from: ownRow, to: size });
    const derived = writeDerived(block.number, following);
    const encoded = {
      ...block,
      counts: {
        blocks: places.blocks.count,
        ...eachChild(({ key }) => places[key].count),
        ...derived.counts,
      },
      rows: {
        blocks: out.bytesOf(blocks),
        ...eachChild(({ key }) =>
          out.bytesOf({ from: places[key].from - start, to: places[key].to - start }),
        ),
        ...derived.rows(),
      },
      derived: derived.tables,
      digest: sum,
    };
    lent.set(encoded, out.memory);
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

const nothing: ByteSpan = { from: 0, to: 0 };

/** What `work` makes of each table beside blocks, in the order of the digest. */
function eachChild<Made>(
  work: (table: (typeof CHILD_TABLES)[ChildTableKey]) => Made,
): Record<ChildTableKey, Made> {
  return {
    transactions: work(CHILD_TABLES.transactions),
    logs: work(CHILD_TABLES.logs),
    withdrawals: work(CHILD_TABLES.withdrawals),
    tokenTransfers: work(CHILD_TABLES.tokenTransfers),
  };
}
