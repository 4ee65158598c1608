// What the model makes of stored rows, as event tables, sums and the feed will: totals by recipient over transactions,
// a table derived from transactions, a total over that, and steps that are told. Beside each, what it must be.

import assert from "node:assert/strict";
import type pg from "pg";
import type { BlockSpan, Hex } from "../../src/block.js";
import { inTransaction, type Tx } from "../../src/db/pool.js";
import { chainFeed } from "../../src/feed/chain-feed.js";
import type { Feed } from "../../src/feed/feed.js";
import { changeRows } from "../../src/pipeline/change-rows.js";
import type { Dependents, Derivation, Sum } from "../../src/pipeline/dependents.js";
import { lockCoverage } from "../../src/queue/lock-coverage.js";

const tables = `
  create table if not exists made_coverage (name text primary key, blocks int8multirange not null default '{}');
  insert into made_coverage (name) values ('fees'), ('received'), ('paid') on conflict do nothing;
  create table if not exists made_fees (block_number bigint, transaction_index int, fee numeric not null, primary key (block_number, transaction_index));
  create table if not exists made_received (recipient bytea primary key, total numeric not null, rows bigint not null);
  create table if not exists made_paid (one boolean primary key default true, total numeric not null, rows bigint not null);
  create table if not exists told (id bigint primary key, kind text not null, number bigint, hash bytea, content text);
  create table if not exists told_chain (number bigint primary key, hash bytea not null);`;

/** Makes their tables where they are not there yet, and empties them. */
export async function makeTables(pool: pg.Pool): Promise<void> {
  await pool.query(tables);
  await emptyMade(pool);
}

export async function emptyMade(pool: pg.Pool): Promise<void> {
  await pool.query(`
    truncate made_fees, made_received, made_paid, told, told_chain;
    update made_coverage set blocks = '{}'`);
}

const rangesOf = (spans: readonly BlockSpan[]): string =>
  `{${spans.map(({ from, to }) => `[${from},${to}]`).join(",")}}`;

/** A sum: `select` gives key, total and rows of the blocks $1. */
function sumOf(name: "received" | "paid", key: string, select: string): Sum {
  const table = `made_${name}`;
  return {
    name,
    async takeAway(tx, { spans, stored }) {
      const intact = stored.filter(({ isIntact }) => isIntact).map(({ number }) => number);
      const { rows } = await tx.query<{ unknown: boolean; counted: string[] }>(
        `select not isempty(blocks * $2::int8multirange
             - coalesce((select range_agg(int8range(n, n + 1)) from unnest($3::bigint[]) as n), '{}')) as unknown,
           array(select n::text from unnest($3::bigint[]) as n where blocks @> n) as counted
         from made_coverage where name = $1`,
        [name, rangesOf(spans), intact],
      );
      if (rows[0]?.unknown) {
        await tx.query(`delete from ${table}`);
        await tx.query("update made_coverage set blocks = '{}' where name = $1", [name]);
        return;
      }
      await tx.query(
        `update ${table} as old set total = old.total - gone.total, rows = old.rows - gone.rows
         from (${select}) as gone where old.${key} = gone.key`,
        [rows[0]?.counted],
      );
      await tx.query(`delete from ${table} where rows = 0`);
      await tx.query("update made_coverage set blocks = blocks - $2::int8multirange where name = $1", [
        name,
        rangesOf(spans),
      ]);
    },
  };
}

const received = `
  select coalesce(to_address, '') as key, sum(value) as total, count(*) as rows
  from transactions where block_number = any ($1::bigint[]) group by 1`;
const paid = `
  select true as key, sum(fee) as total, count(*) as rows
  from made_fees where block_number = any ($1::bigint[]) having count(*) > 0`;
const feesOf = (blocks: string): string => `
  select block_number, transaction_index, gas_used * coalesce(effective_gas_price, 0) as fee
  from transactions where block_number ${blocks}`;

const fees: Derivation = {
  name: "fees",
  async forget(tx, spans) {
    for (const { from, to } of spans)
      await tx.query("delete from made_fees where block_number between $1 and $2", [from, to]);
    await tx.query("update made_coverage set blocks = blocks - $1::int8multirange where name = 'fees'", [
      rangesOf(spans),
    ]);
  },
};

const content = `md5(
  coalesce((select string_agg(t::text, '|' order by t.transaction_index) from transactions t where t.block_number = blocks.number), '')
  || coalesce((select string_agg(l::text, '|' order by l.log_index) from logs l where l.block_number = blocks.number), '')
)`;

const append = (rows: string): string => `
  insert into told (id, kind, number, hash, content)
  select (select coalesce(max(id), 0) from told) + row_number() over (order by place), kind, number, hash, content
  from (${rows}) as step`;

const feed: Feed = {
  name: "told",
  isOn: () => true,
  async keep() {},
  async tell(tx, { reverted, rewritten, derived }) {
    const [lowest] = reverted;
    if (lowest !== undefined) {
      await tx.query(
        append(
          "select 'revert' as kind, number, hash, null as content, -number as place from told_chain where number >= $1",
        ),
        [lowest.from],
      );
      await tx.query("delete from told_chain where number >= $1", [lowest.from]);
    }
    await tx.query(
      append(
        `select 'rewrite' as kind, number, hash, ${content} as content, number as place from blocks
         where number = any ($1::bigint[]) and exists (select from told_chain where told_chain.number = blocks.number)`,
      ),
      [rewritten],
    );
    if (derived !== null)
      await tx.query(
        append(
          "select 'derive' as kind, $1::bigint as number, null::bytea as hash, null as content, 0 as place",
        ),
        [derived.spans[0]?.from],
      );
  },
};

export const made: Dependents = {
  sums: [sumOf("received", "recipient", received), sumOf("paid", "one", paid)],
  derived: [fees],
  feeds: [feed, chainFeed],
};

/** Makes fees of the stored blocks of a span, anew where they were made. */
export async function refill(pool: pg.Pool, span: BlockSpan, dependents = made): Promise<void> {
  await changeRows(
    { pool, dependents },
    {
      decide: async () => ({
        kind: "derive",
        name: "fees",
        spans: [span],
        async write(tx) {
          await tx.query(
            `with fresh as (select number from blocks where number between $1 and $2),
             filled as (insert into made_fees ${feesOf("in (select number from fresh)")})
             update made_coverage
             set blocks = blocks + coalesce((select range_agg(int8range(number, number + 1)) from fresh), '{}')
             where name = 'fees'`,
            [span.from, span.to],
          );
        },
      }),
      settle: async () => {},
    },
  );
}

/** What a leader does now and then: fills, adds and tells a little of what is stored and not covered. */
export async function fold(pool: pg.Pool, blocks = 5): Promise<boolean> {
  const missing = await pool.query<{ number: string | number }>(
    `select number from blocks, made_coverage where name = 'fees' and not blocks @> number order by number limit 1`,
  );
  const first = missing.rows[0];
  if (first !== undefined) {
    const from = Number(first.number);
    await refill(pool, { from, to: from + blocks });
  }
  const added = await inTransaction(pool, async (tx) => {
    await lockCoverage(tx);
    return (
      (await add(tx, "received", blocks)) + (await add(tx, "paid", blocks)) + (await tellNext(tx, blocks))
    );
  });
  return first !== undefined || added > 0;
}

// One statement, one snapshot: what is counted is what is covered.
async function add(tx: Tx, name: "received" | "paid", limit: number): Promise<number> {
  const source =
    name === "received"
      ? ""
      : "and exists (select from made_coverage where name = 'fees' and blocks @> number)";
  const numbers = "coalesce((select array_agg(number) from fresh), '{}')";
  const select = (name === "received" ? received : paid).replace("$1::bigint[]", numbers);
  const key = name === "received" ? "recipient" : "one";
  const { rows } = await tx.query<{ count: number }>(
    `with fresh as (
       select number from blocks
       where not exists (select from made_coverage where name = '${name}' and blocks @> number) ${source}
       order by number limit $1
     ),
     added as (
       insert into made_${name} as old (${key}, total, rows) ${select}
       on conflict (${key}) do update set total = old.total + excluded.total, rows = old.rows + excluded.rows
     ),
     covered as (
       update made_coverage
       set blocks = blocks + coalesce((select range_agg(int8range(number, number + 1)) from fresh), '{}')
       where name = '${name}'
     )
     select count(*)::int as count from fresh`,
    [limit],
  );
  return Number(rows[0]?.count);
}

/** Tells the next blocks of the chain, from block 0 on, up to the first that is missing. */
async function tellNext(tx: Tx, limit: number): Promise<number> {
  for (let count = 0; ; count += 1) {
    if (count === limit) return count;
    const { rows } = await tx.query<{ number: number; links: boolean }>(
      `select blocks.number::int, top.hash is null or top.hash = parent_hash as links
       from blocks left join (select number, hash from told_chain order by number desc limit 1) as top on true
       where blocks.number = coalesce(top.number + 1, 0)`,
    );
    const [next] = rows;
    if (next === undefined) return count;
    assert(next.links, `block ${next.number} is not the child of what readers were told of`);
    await tx.query(
      append(
        `select 'apply' as kind, number, hash, ${content} as content, 0 as place from blocks where number = $1`,
      ),
      [next.number],
    );
    await tx.query("insert into told_chain select number, hash from blocks where number = $1", [next.number]);
  }
}

/** What is not as a recomputation over the rows that are stored says. Each query finds nothing where all is well. */
const contradictions: Record<string, string> = {
  "a total by recipient": `
    (select recipient, total, rows from made_received
     except select coalesce(to_address, ''), sum(value), count(*) from transactions, made_coverage
       where name = 'received' and blocks @> block_number group by 1)
    union all
    (select coalesce(to_address, ''), sum(value), count(*) from transactions, made_coverage
       where name = 'received' and blocks @> block_number group by 1
     except select recipient, total, rows from made_received)`,
  "the total of fees": `
    select paid.total, again.total, paid.rows, again.rows
    from (select coalesce(sum(total), 0) as total, coalesce(sum(rows), 0) as rows from made_paid) as paid,
      (select coalesce(sum(fee), 0) as total, count(*) as rows
       from (${feesOf("is not null")}) as fees, made_coverage where name = 'paid' and blocks @> block_number) as again
    where paid.total <> again.total or paid.rows <> again.rows`,
  "a derived row": `
    (table made_fees except (select fees.* from (${feesOf("is not null")}) as fees, made_coverage where name = 'fees' and blocks @> block_number))
    union all
    ((select fees.* from (${feesOf("is not null")}) as fees, made_coverage where name = 'fees' and blocks @> block_number) except table made_fees)`,
  "a covered block is not stored": `
    select name, n from (select name, blocks from made_coverage union all select 'queue', blocks from processing_coverage) as every,
      unnest(blocks) as span, generate_series(lower(span), upper(span) - 1) as n
    where not exists (select from blocks where number = n)`,
  "a completed job without its block": `
    select block_number from processing_jobs
    where status = 'completed' and not exists (select from blocks where number = block_number)`,
  "a stored block that the queue does not know of": `
    select number from blocks
    where not exists (select from processing_coverage where blocks @> number)
      and not exists (select from processing_jobs where block_number = number)`,
  "a block that readers were told of is another one": `
    select told_chain.number from told_chain left join blocks using (number) where told_chain.hash is distinct from blocks.hash`,
  "ids with a gap": "select from told having count(*) <> coalesce(max(id), 0)",
};

interface Step {
  kind: "apply" | "revert" | "rewrite" | "derive";
  number: number;
  hash: Hex;
  content: string | null;
}

/** Asserts that sums, derived rows and told steps are what the stored rows say, in one snapshot. */
export async function assertRecomputed(pool: pg.Pool): Promise<void> {
  await inTransaction(pool, async (tx) => {
    await tx.query("set transaction isolation level repeatable read, read only");
    const found: Record<string, unknown[]> = {};
    for (const [what, query] of Object.entries(contradictions)) {
      const { rows } = await tx.query(query);
      if (rows.length > 0) found[what] = rows;
    }
    const { rows: steps } = await tx.query<Step>(
      `select kind, number::int, '0x' || encode(hash, 'hex') as hash, content from told order by id`,
    );
    const { rows: now } = await tx.query<{ number: number; hash: Hex; content: string }>(
      `select number::int, '0x' || encode(hash, 'hex') as hash, ${content} as content
       from blocks where number in (select number from told_chain) order by number`,
    );
    const replayed = replay(steps);
    if (JSON.stringify(replayed) !== JSON.stringify(now))
      found["the replayed steps"] = [{ replayed, now: now.map(({ number, hash }) => ({ number, hash })) }];
    assert.deepEqual(found, {});
  });
}

/** What a reader has that follows the steps: blocks in order, with the rows that it was told last. */
export function replay(steps: readonly Step[]): { number: number; hash: Hex; content: string | null }[] {
  const chain: { number: number; hash: Hex; content: string | null }[] = [];
  for (const { kind, number, hash, content } of steps) {
    const top = chain.at(-1);
    if (kind === "apply") {
      assert.equal(number, (top?.number ?? -1) + 1, "a block is told of that does not follow the last one");
      chain.push({ number, hash, content });
    } else if (kind === "revert") {
      assert.deepEqual(
        [number, hash],
        [top?.number, top?.hash],
        "another block than the last one is taken back",
      );
      chain.pop();
    } else if (kind === "rewrite") {
      const place = chain[number];
      assert(place !== undefined && place.hash === hash, "rows are told of that belong to no block");
      place.content = content;
    }
  }
  return chain;
}

/** The steps that were told, in order. */
export async function toldSteps(pool: pg.Pool): Promise<Step[]> {
  const { rows } = await pool.query<Step>(
    `select kind, number::int, '0x' || encode(hash, 'hex') as hash, content from told order by id`,
  );
  return rows;
}
