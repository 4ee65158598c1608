import { createHash } from "node:crypto";
import type { Hex } from "../block.js";
import type { BlockRows } from "../transform/to-rows.js";
import { digestedColumns, writeDigestedHeader, writeHeader } from "./blocks-table.js";
import { CHAIN_TABLES, type ChainTable, type RowCounts } from "./chain-tables.js";
import { CopyWriter } from "./copy-writer.js";

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

/** Encodes blocks. One per process: it holds the buffer that they are written in. */
export function createEncoder(): (block: BlockRows) => EncodedBlock {
  const out = new CopyWriter();
  return (block) => {
    const digest = createHash("sha256");
    const written = (write: () => void): Buffer => {
      out.clear();
      write();
      return out.copy();
    };
    const table = (name: (typeof digestedTables)[number]): Buffer => {
      const rows = written(() => CHAIN_TABLES[name].write(out, block));
      digest.update(rows);
      return rows;
    };
    const [transactions, logs, withdrawals, tokenTransfers] = [
      table("transactions"),
      table("logs"),
      table("withdrawals"),
      table("tokenTransfers"),
    ];
    digest.update(written(() => writeDigestedHeader(out, block)).subarray(rowPrefixBytes));
    const sum = digest.digest();
    return {
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
      rows: {
        blocks: written(() => writeHeader(out, block, sum)),
        transactions,
        logs,
        withdrawals,
        tokenTransfers,
      },
      digest: sum,
    };
  };
}

export { digestedColumns, digestedTables, rowPrefixBytes };
