// Blocks read back from their rows, so that they can be proven again from the database alone.

import pg from "pg";
import type { Block, Hex, Log } from "../block.js";
import type { TokenTransfer } from "../decode/decode-token-transfers.js";
import { TABLES } from "../fields/tables.js";
import { type BlockNumbers, blockCondition } from "./block-condition.js";
import { BLOCK_TABLES, type BlockTableKey } from "./chain-tables.js";
import { columnsAfter, digestVersion, isKnownVersion } from "./digest-version.js";
import { groupBy } from "./group-by.js";
import { type RowsOfBlock, rebuildBlock } from "./rebuild-block.js";
import { type Contradiction, StoredRow } from "./stored-row.js";

export interface LoadedBlock {
  number: number;
  /** Its links, as they are stored: whatever stands there. */
  hash: unknown;
  parentHash: unknown;
  /** What the digest was when the block was written; null: it has none. */
  digest: Hex | null;
  /** What was proven when the block was written: names of checks, or whatever stands there. */
  verified: readonly unknown[];
  /** Null: a value is stored that no block can have, see `contradictions`. */
  rebuilt: { block: Block; tokenTransfers: TokenTransfer[] } | null;
  /** Rows that contradict others, or that no block can have. */
  contradictions: Contradiction[];
  /** How many rows it has. */
  rowCount: number;
}

type Row = Record<string, unknown>;

const order = {
  blocks: "number",
  transactions: "block_number, transaction_index",
  logs: "block_number, log_index",
  withdrawals: "block_number, index",
  tokenTransfers: "block_number, log_index, batch_index",
};

/**
 * Reads those of these blocks that are stored, in order. `bloomOf` gives a receipt's bloom, which is not
 * stored: it follows from the logs. The session must have bytea_output = hex.
 */
export async function loadBlocks(
  client: pg.ClientBase,
  numbers: BlockNumbers,
  bloomOf: (logs: readonly Log[]) => Hex,
): Promise<LoadedBlock[]> {
  const read = async (table: BlockTableKey): Promise<Row[]> => {
    const { name, blockColumn } = BLOCK_TABLES[table];
    const text = `select ${columnsOf(table)} from ${name} where ${blockCondition(blockColumn, numbers)} order by ${order[table]}`;
    // pg's own types lack that a query may bring parsers of its own.
    return (await client.query<Row>({ text, types } as pg.QueryConfig)).rows;
  };
  const headers = await read("blocks");
  const grouped = async (table: BlockTableKey) => groupBy(await read(table), "block_number");
  const transactions = await grouped("transactions");
  const logs = await grouped("logs");
  const withdrawals = await grouped("withdrawals");
  const tokenTransfers = await grouped("tokenTransfers");
  return headers.map((header) => {
    const rows: RowsOfBlock = {
      header,
      transactions: transactions.get(header.number) ?? [],
      logs: logs.get(header.number) ?? [],
      withdrawals: withdrawals.get(header.number) ?? [],
      tokenTransfers: tokenTransfers.get(header.number) ?? [],
    };
    return loadedBlock(rows, bloomOf);
  });
}

// Times with their microseconds, or infinity: whatever stands there.
function columnsOf(table: BlockTableKey): string {
  return BLOCK_TABLES[table].columns
    .map((column) => (timeColumns.has(column) ? `extract(epoch from ${column}) as ${column}` : column))
    .join(", ");
}

const timeColumns: ReadonlySet<string> = new Set(
  TABLES.flatMap(({ columns }) =>
    columns.flatMap(({ name, type }) => (type === "timestamptz" ? [name] : [])),
  ),
);

/** What makes rows of PostgreSQL's text: bytes as the hex of a Block, numbers so that none loses a digit. */
const types = {
  getTypeParser(oid: number): (text: string) => unknown {
    if (oid === pg.types.builtins.BYTEA) return hexOf;
    if (oid === byteaArrayOid) return (text) => hexOfEach(parseByteaArray(text));
    if (oid === pg.types.builtins.INT8)
      return (text) => (Number.isSafeInteger(Number(text)) ? Number(text) : text);
    if (oid === pg.types.builtins.NUMERIC) return (text) => text;
    return pg.types.getTypeParser(oid, "text") as (text: string) => unknown;
  },
};

const byteaArrayOid: number = 1001;
const parseByteaArray = pg.types.getTypeParser(byteaArrayOid, "text") as (text: string) => unknown;

// bytea arrives as \x.. text.
function hexOf(text: string): Hex {
  return `0x${text.slice(2)}`;
}

function hexOfEach(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `0x${value.toString("hex")}`;
  return Array.isArray(value) ? value.map(hexOfEach) : value;
}

function loadedBlock(rows: RowsOfBlock, bloomOf: (logs: readonly Log[]) => Hex): LoadedBlock {
  const { header, transactions, logs, withdrawals, tokenTransfers } = rows;
  const wrong: Contradiction[] = [];
  const rebuilt = rebuildBlock(rows, { wrong, bloomOf });
  const misshapen = wrong.length > 0;
  addLaterValues(wrong, rows);
  addContradictions(wrong, rows);
  return {
    number: header.number as number,
    hash: header.hash,
    parentHash: header.parent_hash,
    digest: header.digest as Hex | null,
    verified: header.verified as unknown[],
    rebuilt: misshapen ? null : rebuilt,
    contradictions: wrong,
    rowCount: 1 + transactions.length + logs.length + withdrawals.length + tokenTransfers.length,
  };
}

/**
 * What the digest does not cover, since it is of an older version: that version's programs knew no such column, and wrote
 * none. So a block whose version was lowered is found even where its digest was made to match.
 */
function addLaterValues(wrong: Contradiction[], rows: RowsOfBlock): void {
  const version = Number(rows.header.digest_version);
  if (!isKnownVersion(version)) {
    const header = new StoredRow(rows.header, { table: "blocks", place: "", wrong });
    header.wrong("digest_version", digestVersion === 1 ? "1" : `1 to ${digestVersion}`, version);
    return;
  }
  const ofTable = { ...rows, blocks: [rows.header] };
  for (const { key, name, covered } of Object.values(BLOCK_TABLES)) {
    const later = columnsAfter(covered, version);
    if (later.length === 0) continue;
    for (const [index, each] of ofTable[key].entries()) {
      const row = new StoredRow(each, {
        table: name,
        place: key === "blocks" ? "" : `${name}[${index}]`,
        wrong,
      });
      for (const column of later) if (each[column] !== null) row.expect(column, null);
    }
  }
}

/** Columns that say again what other rows say. */
function addContradictions(wrong: Contradiction[], rows: RowsOfBlock): void {
  const header = new StoredRow(rows.header, { table: "blocks", place: "", wrong });
  header.expect("transaction_count", rows.transactions.length);
  header.expect("log_count", rows.logs.length);
  const logCounts = new Map<unknown, number>();
  for (const { transaction_index: index } of rows.logs) logCounts.set(index, (logCounts.get(index) ?? 0) + 1);
  for (const each of rows.transactions) {
    const place = `transactions[${each.transaction_index}]`;
    const transaction = new StoredRow(each, { table: "transactions", place, wrong });
    transaction.expect("block_hash", rows.header.hash);
    transaction.expect("log_count", logCounts.get(each.transaction_index) ?? 0);
  }
  const hashes = new Map(rows.transactions.map((each) => [each.transaction_index, each.hash]));
  for (const each of rows.logs) {
    const log = new StoredRow(each, { table: "logs", place: `logs[${each.log_index}]`, wrong });
    log.expect("block_hash", rows.header.hash);
    const hash = hashes.get(each.transaction_index);
    if (hash === undefined)
      log.wrong("transaction_index", "a transaction of the block", each.transaction_index);
    else log.expect("transaction_hash", hash);
  }
}
