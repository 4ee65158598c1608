// What `blockmill decode` does with the schema: compares what is configured with what is applied, makes tables and views,
// and takes them away. Behind the door's lock, since tables of rows come and go.

import type pg from "pg";
import { inTransaction, type Sql, type Tx } from "../db/pool.js";
import { foldDecoded } from "../decode/coverage.js";
import { misfitsTable } from "../decode/decode-logs.js";
import { columnsOf, createDecoder } from "../decode/decoder.js";
import type { EventDefinition } from "../decode/definition.js";
import type { PlannedDecoder } from "../decode/plan-decoders.js";
import { ConfigError } from "../errors.js";
import { lockCoverage } from "../queue/lock-coverage.js";
import {
  addComment,
  addDerivedTable,
  type DerivedTableDefinition,
  grantAsLogs,
  quoted,
} from "../store/add-derived-table.js";

/**
 * - `create`: it is not there yet.
 * - `keep`: it is applied as it is wanted.
 * - `refill`: other logs count, or their rows say something else, in the same columns. Rows are replaced block by block.
 * - `replace`: its columns change: the table is dropped and made anew.
 * - `unconfigured`: it is applied, and the configuration does not name it. It goes on until it is dropped.
 */
export type Step =
  | { do: "create" | "keep" | "refill" | "replace"; table: string; planned: PlannedDecoder }
  | { do: "unconfigured"; table: string };

interface Applied {
  table: string;
  definition: EventDefinition;
}

/** What applying a plan would do. */
export async function stepsOf(sql: Sql, planned: readonly PlannedDecoder[]): Promise<Step[]> {
  const { rows } = await sql.query<Applied>(
    `select table_name as "table", definition from decoders order by table_name`,
  );
  const applied = new Map(rows.map((row) => [row.table, row.definition]));
  const steps: Step[] = planned.map((each) => {
    const before = applied.get(each.table);
    applied.delete(each.table);
    return { do: changeOf(before, each), table: each.table, planned: each };
  });
  return [...steps, ...[...applied.keys()].map((table) => ({ do: "unconfigured" as const, table }))];
}

function changeOf(
  before: EventDefinition | undefined,
  { definition, table }: PlannedDecoder,
): "create" | "keep" | "refill" | "replace" {
  if (before === undefined) return "create";
  if (canonical(before) === canonical(definition)) return "keep";
  return shapeOf(table, before) === shapeOf(table, definition) ? "refill" : "replace";
}

/** What its columns are; an applied definition that this program cannot read has none that it could keep. */
function shapeOf(table: string, definition: EventDefinition): string {
  try {
    const { event } = createDecoder({ id: 0, table, definition });
    return JSON.stringify(event.columns.map(({ name, type }) => [name, type]));
  } catch {
    return "";
  }
}

/** The same for the same values, in whatever order their keys stand. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** The table of an event. */
export function tableOf({ table, event, definition }: PlannedDecoder): DerivedTableDefinition {
  return {
    name: table,
    columns: [
      { name: "log_index", type: "int not null", comment: "Its place in the block, as in logs." },
      { name: "block_timestamp", type: "timestamptz not null", comment: "The time of its block." },
      {
        name: "transaction_hash",
        type: "bytea not null",
        comment: "The transaction that emitted it. 32 bytes.",
      },
      { name: "address", type: "bytea not null", comment: "The contract that emitted it. 20 bytes." },
      ...event.columns.map(({ name, type, comment }) => ({ name, type, comment })),
      {
        name: "undecodable",
        type: "text[]",
        comment:
          "Columns that are null here since their text is none that PostgreSQL can hold: logs has its bytes.",
      },
    ],
    key: ["log_index"],
    comment: `Decoded from logs: event ${event.definition}, of "${definition.contract}" in the configuration's key decode.`,
  };
}

const misfits: DerivedTableDefinition = {
  name: misfitsTable,
  columns: [
    { name: "log_index", type: "int not null", comment: "Its place in the block, as in logs." },
    { name: "decoder", type: "int not null", comment: "The row of decoders whose event it was taken for." },
  ],
  key: ["log_index", "decoder"],
  comment:
    "Logs that have an event's first topic, number of topics and address, and not its shape: they have no row in its table.",
};

/** A view that shows a table with 0x text instead of bytea. */
function hexView({ table, event }: PlannedDecoder): string {
  const types = new Map<string, string>(event.columns.map(({ name, type }) => [name, type]));
  for (const name of ["transaction_hash", "address"]) types.set(name, "bytea");
  const columns = columnsOf({ event }).map((name) => {
    const column = quoted(name);
    const type = types.get(name);
    if (type === "bytea") return `'0x' || encode(${column}, 'hex') as ${column}`;
    if (type === "bytea[]")
      return `case when ${column} is not null then array(
        select '0x' || encode(item, 'hex') from unnest(${column}) with ordinality as t (item, place) order by place
      ) end as ${column}`;
    return column;
  });
  return `create view ${quoted(`${table}_hex`)} as select ${columns.join(", ")} from ${quoted(table)}`;
}

/**
 * Applies a plan, all of it or nothing. To be run by the schema's owner. Returns what it did. Throws a ConfigError where
 * something else has the name of a table.
 */
export async function applyDecoders(pool: pg.Pool, planned: readonly PlannedDecoder[]): Promise<Step[]> {
  return inTransaction(pool, async (tx) => {
    await lockCoverage(tx);
    await foldDecoded(tx);
    const steps = await stepsOf(tx, planned);
    for (const step of steps) {
      if (step.do === "unconfigured") continue;
      if (step.do === "keep") {
        await tx.query("update decoders set configured = $2 where table_name = $1 and configured <> $2", [
          step.table,
          step.planned.configured,
        ]);
        continue;
      }
      if (step.do === "refill") await forget(tx, step.table);
      else {
        if (step.do === "replace") await takeAway(tx, step.table);
        await checkFree(tx, [step.table, `${step.table}_hex`]);
        await make(tx, step.planned);
      }
      await tx.query("insert into decoders (table_name, definition, configured) values ($1, $2, $3)", [
        step.table,
        JSON.stringify(step.planned.definition),
        step.planned.configured,
      ]);
    }
    return steps;
  });
}

async function make(tx: Tx, planned: PlannedDecoder): Promise<void> {
  const { rows } = await tx.query<{ missing: boolean }>("select to_regclass($1) is null as missing", [
    misfitsTable,
  ]);
  if (rows[0]?.missing) {
    await tx.query("delete from chain_tables where name = $1", [misfitsTable]);
    await addDerivedTable(tx, misfits);
  }
  await addDerivedTable(tx, tableOf(planned));
  await tx.query(hexView(planned));
  await addComment(
    tx,
    `view ${quoted(`${planned.table}_hex`)}`,
    `${planned.table}, with 0x text instead of bytea.`,
  );
  await grantAsLogs(tx, `${planned.table}_hex`, { onlyRead: true });
}

async function checkFree(tx: Tx, names: readonly string[]): Promise<void> {
  const { rows } = await tx.query<{ name: string }>(
    "select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relname = any ($1)",
    [names],
  );
  const [taken] = rows;
  if (taken !== undefined)
    throw new ConfigError(
      `decode: ${taken.name} is there already, and blockmill did not make it: rename it, or give the event another name with "rename"`,
      { key: "decode" },
    );
}

/** Takes event tables and views away, with all that is known of them. Returns those that were applied. */
export async function dropDecoders(pool: pg.Pool, tables: readonly string[]): Promise<string[]> {
  return inTransaction(pool, async (tx) => {
    await lockCoverage(tx);
    const { rows } = await tx.query<{ table: string }>(
      `select table_name as "table" from decoders where table_name = any ($1) order by 1`,
      [tables],
    );
    for (const { table } of rows) await takeAway(tx, table);
    return rows.map(({ table }) => table);
  });
}

async function takeAway(tx: Tx, table: string): Promise<void> {
  await tx.query(`drop view if exists ${quoted(`${table}_hex`)}`);
  // What somebody has built on it would be lost without a word: PostgreSQL refuses, and names it.
  await tx.query(`drop table if exists ${quoted(table)}`);
  await tx.query("delete from chain_tables where name = $1", [table]);
  await forget(tx, table);
}

/** Forgets what was applied, and which logs did not fit it. */
async function forget(tx: Tx, table: string): Promise<void> {
  const { rows } = await tx.query<{ id: number; misfits: boolean }>(
    "delete from decoders where table_name = $1 returning id, to_regclass($2) is not null as misfits",
    [table, misfitsTable],
  );
  for (const { id, misfits } of rows)
    if (misfits) await tx.query("delete from decode_misfits where decoder = $1", [id]);
}
