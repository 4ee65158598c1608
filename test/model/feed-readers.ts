// Readers of the feed, each with a copy of every told block's rows in a table of its own. What it does to the copy commits
// with its position: so the copy is the chain at its position, whatever stops it.

import assert from "node:assert/strict";
import type pg from "pg";
import { inTransaction, type Tx } from "../../src/db/pool.js";
import { openFeed } from "../../src/feed/apply-next.js";

const tables = ["blocks", "transactions", "logs", "withdrawals", "token_transfers"];
const blockColumn = (table: string) => (table === "blocks" ? "number" : "block_number");

/** All rows of the blocks $1, as text, by block. */
const contentOf = `
  select number::text, string_agg(line, e'\\n' order by line collate "C") as content
  from (${tables
    .map(
      (table) =>
        `select ${blockColumn(table)} as number, '${table} ' || to_jsonb(t)::text as line from ${table} as t
         where ${blockColumn(table)} = any ($1::bigint[])`,
    )
    .join(" union all ")}) as lines
  group by number order by lines.number`;

/** The same of the rows that the revert $1 took away, by way of their own types. */
const droppedBy = `
  select string_agg(line, e'\\n' order by line collate "C") as content
  from (${tables
    .map(
      (table) =>
        `select '${table} ' || to_jsonb(t)::text as line from dropped(null::${table}, $1::bigint) as t`,
    )
    .join(" union all ")}) as lines`;

export interface FeedReader {
  name: string;
  /**
   * Takes the next steps, at most `limit`. Where it `dies`, it does so before its commit. Returns how many it took. Starts
   * again by loading what is told where its steps are gone.
   */
  read(options: { limit: number; dies?: boolean; isExact?: boolean }): Promise<number>;
  /** Its copy: the blocks' rows by their number. */
  copy(): Promise<Map<number, string | null>>;
}

/** Switches the feed on from block 0, and off before that. */
export async function beginFeed(pool: pg.Pool, from: number | null = 0): Promise<void> {
  await pool.query("select stop_feed()");
  await openFeed(pool, from);
}

export async function createReader(
  pool: pg.Pool,
  name: string,
  after: number | null = 0,
): Promise<FeedReader> {
  const table = `copy_of_${name}`;
  await pool.query(`
    create table if not exists ${table} (number bigint primary key, hash bytea, content text);
    truncate ${table}`);
  await pool.query("select start_reader($1, $2)", [name, after]);

  const take = async (limit: number, dies: boolean, isExact: boolean): Promise<number> => {
    const client = await pool.connect();
    try {
      await client.query("begin isolation level repeatable read");
      const { rows: steps } = await client.query<Step>("select * from read_changes($1, $2)", [name, limit]);
      for (const step of steps) await follow(client, step, { table, isExact });
      const last = steps.at(-1);
      if (last !== undefined) await client.query("select advance_reader($1, $2)", [name, last.id]);
      await client.query(dies ? "rollback" : "commit");
      return steps.length;
    } catch (error) {
      await client.query("rollback");
      throw error;
    } finally {
      client.release();
    }
  };

  const startAgain = async (): Promise<void> => {
    // By itself first: it waits for the door, and from its commit on what is reverted is kept.
    await pool.query("select start_reader($1)", [name]);
    const client = await pool.connect();
    try {
      await client.query("begin isolation level repeatable read");
      const { rows } = await client.query<{ told: string }>("select told from start_reader($1)", [name]);
      await client.query(`delete from ${table}`);
      await client.query(
        `insert into ${table} select number, hash from blocks where $1::int8multirange @> number`,
        [rows[0]?.told],
      );
      for (const { number, content } of await contents(client, await numbersOf(client, table)))
        await client.query(`update ${table} set content = $2 where number = $1`, [number, content]);
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      if ((error as { code?: string }).code !== "40001") throw error;
    } finally {
      client.release();
    }
  };

  return {
    name,
    async read({ limit, dies = false, isExact = true }) {
      for (let tries = 0; ; tries += 1) {
        try {
          return await take(limit, dies, isExact);
        } catch (error) {
          const { code, message } = error as { code?: string; message: string };
          if (code === "55000" && message.includes("are gone")) await startAgain();
          else if (code !== "40001") throw error;
          assert(tries < 1_000, `the reader ${name} does not get on: ${message}`);
        }
      }
    },
    async copy() {
      const { rows } = await pool.query<{ number: string; content: string | null }>(
        `select number::text, content from ${table} order by ${table}.number`,
      );
      return new Map(rows.map(({ number, content }) => [Number(number), content]));
    },
  };
}

interface Step {
  id: string;
  kind: string;
  number: string | null;
  hash: Buffer | null;
}

async function follow(
  tx: pg.ClientBase,
  { id, kind, number, hash }: Step,
  { table, isExact }: { table: string; isExact: boolean },
): Promise<void> {
  if (kind === "apply") {
    const [block] = await contents(tx, [Number(number)]);
    assert(block, `step ${id}: the rows of block ${number} are not there`);
    await tx.query(`insert into ${table} values ($1, $2, $3)`, [number, hash, block.content]);
  } else if (kind === "revert") {
    const { rows } = await tx.query<{ hash: Buffer; content: string | null }>(
      `delete from ${table} where number = $1 returning hash, content`,
      [number],
    );
    const [old] = rows;
    assert(old, `step ${id} reverts block ${number}, which ${table} does not have`);
    if (!isExact) return;
    assert.deepEqual(hash, old.hash);
    const kept = await tx.query<{ content: string | null }>(droppedBy, [id]);
    assert.equal(kept.rows[0]?.content, old.content, `what is kept of block ${number}, step ${id}`);
  }
}

async function contents(tx: Pick<Tx, "query">, numbers: number[]) {
  const { rows } = await tx.query<{ number: string; content: string }>(contentOf, [numbers]);
  return rows;
}

async function numbersOf(tx: Pick<Tx, "query">, table: string): Promise<number[]> {
  const { rows } = await tx.query<{ number: string }>(`select number::text from ${table}`);
  return rows.map(({ number }) => Number(number));
}

/** All that a copy must be: every told block's rows as they stand. */
export async function toldContent(pool: pg.Pool): Promise<Map<number, string | null>> {
  return inTransaction(pool, async (tx) => {
    await tx.query("set transaction isolation level repeatable read");
    const { rows } = await tx.query<{ number: string }>(
      "select number::text from blocks, chain_feed where told @> number",
    );
    const found = await contents(
      tx,
      rows.map(({ number }) => Number(number)),
    );
    return new Map(found.map(({ number, content }) => [Number(number), content]));
  });
}

/** Ids without gaps, in the order of their times; a block's steps in turn; told is what was applied last. */
export async function assertFeed(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query(`
    with steps as (
      select *, lag(id) over (order by id) as before, lag(at) over (order by id) as earlier,
        lag(kind) over (partition by number order by id) as kind_before
      from chain_changes
    ),
    ends as (select min(id) as first, max(id) as last from chain_changes)
    select 'gap' as what, id::text as at from steps where id <> before + 1
    union all select 'time', id::text from steps where at < earlier
    union all select 'in turn', id::text from steps where number is not null and kind = kind_before
    union all select 'first', first::text from ends, chain_feed where first <> pruned_through + 1
    union all select 'last', last_id::text from ends, chain_feed where last_id <> coalesce(last, pruned_through)
    union all select 'told', number::text from chain_feed,
      (select distinct on (number) number, kind from steps where number is not null order by number, id desc) as newest
      where (kind = 'apply') <> (told @> number)
    union all select 'kept too long', change_id::text from chain_feed, dropped_rows where change_id <= pruned_through`);
  assert.deepEqual(rows, []);
}
