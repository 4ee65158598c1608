// Every column of every table of the chain, as the catalog names them, with every small change that can be
// made to it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BLOCK_TABLES } from "../../src/store/chain-tables.js";
import { createStoredChain, named, type RawBlock, type StoredChain } from "./stored-chain.js";

const busy = 3;
let chain: StoredChain;

before(async () => {
  chain = await createStoredChain({ seed: 3, transactions: [1, 1, 1, 8, 1, 1], eras: { paris: 10 } });
  const odd = ({ block, receipts }: RawBlock) => {
    block.l1BlockNumber = "0x10";
    Object.assign(block.transactions[0] ?? {}, { sourceHash: "0x01" });
    Object.assign(receipts[1] ?? {}, { l1Fee: "0x1" });
  };
  await chain.store(0, 5);
  await chain.write([chain.encoded(chain.parsed(busy, "main", odd))]);
  assert.deepEqual(await chain.prove(), []);
});

after(() => chain.close());

/** Expressions for a value that is not null, by type; all but null differ from the value in very little. */
const changes: Record<string, string[]> = {
  bytea: [
    "set_byte(%, 0, get_byte(%, 0) # 1)",
    "set_byte(%, length(%) - 1, get_byte(%, length(%) - 1) # 128)",
    "% || '\\x00'::bytea",
    "substring(% from 2)",
    "''::bytea",
  ],
  int2: ["% + 1", "-1 - %"],
  int4: ["% + 1000", "-1 - %"],
  int8: ["% + 1000", "-1 - %", "9223372036854775807"],
  numeric: ["% + 1", "-1 - %", "'NaN'"],
  text: ["case % when 'erc20' then 'erc721' else 'erc20' end"],
  timestamptz: [
    "% + interval '1 microsecond'",
    "% - interval '1 second'",
    "'infinity'",
    "'-infinity'",
    "'0044-03-15 BC'",
  ],
  jsonb: [
    "jsonb_build_array(%)",
    "'null'",
    "'{}'",
    "'7'",
    "replace(%::text, '\"0x', '\"0x0')::jsonb",
    "case jsonb_typeof(%) when 'object' then % || '{\"x\": 0}' else % || '[null]' end",
    "case jsonb_typeof(%) when 'object' then % - (select min(k) from jsonb_object_keys(%) as k) else % - 0 end",
  ],
  _bytea: [
    "array_append(%, '\\x00')",
    "array_append(%, null)",
    "array[%, %]",
    "('[2:' || cardinality(%) + 1 || ']=' || %::text)::bytea[]",
    "array[set_byte(%[1], 0, get_byte(%[1], 0) # 1)] || %[2:]",
    "%[2:]",
  ],
  _text: ["array_append(%, 'senders')", "%[2:]", "array_append(%, null)", "array[upper(%[1])] || %[2:]"],
};

/** What a null becomes. */
const something: Record<string, string> = {
  bytea: "'\\x00'",
  int2: "0",
  int4: "0",
  int8: "0",
  numeric: "0",
  jsonb: "'[]'",
  _bytea: "'{}'",
};

interface Column {
  table: string;
  column: string;
  type: string;
  nullable: boolean;
}

async function columns(): Promise<Column[]> {
  const { rows } = await chain.pool.query<Column>(
    `select relname as table, attname as column, typname as type, not attnotnull as nullable
     from pg_attribute join pg_class on pg_class.oid = attrelid join pg_type on pg_type.oid = atttypid
     where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not like 'processing%'
       and relname not in ('schema_version', 'chain_layout', 'chain_tables', 'reorgs', 'alerts', 'chain_feed',
         'chain_changes', 'chain_readers', 'dropped_rows', 'decoders', 'decoded_blocks') and attnum > 0 and not attisdropped
     order by relname, attnum`,
  );
  return rows;
}

/** Runs `change` on the busy block's rows and puts the table back when `work` is done. */
async function withChange(
  table: string,
  statement: string,
  work: (changed: number) => Promise<void>,
): Promise<void> {
  await chain.pool.query(`create table kept as table ${table}`);
  try {
    const { rowCount } = await chain.pool.query(statement);
    await work(rowCount ?? 0);
  } finally {
    await chain.pool.query(
      `begin; truncate ${table}; insert into ${table} table kept; drop table kept; commit`,
    );
  }
}

const blockColumnOf = (table: string) => (table === "blocks" ? "number" : "block_number");

test("a change to any column of any table is found, and no other block is blamed for it", async (t) => {
  const all = await columns();
  const tables = Object.values(BLOCK_TABLES).map(({ name }) => name);
  assert.deepEqual([...new Set(all.map(({ table }) => table))].sort(), tables.sort());
  let changed = 0;
  const untried: string[] = [];
  for (const { table, column, type, nullable } of all) {
    const key = blockColumnOf(table);
    const isKey = column === key;
    // One row: what is not null, and has something in it, is worth more.
    const update = (expression: string, where: string) => `
      update ${table} set "${column}" = ${expression}
      where ctid = (select ctid from ${table} where ${key} = ${busy} and ${where}
                    order by length("${column}"::text) desc, ctid desc limit 1)`;
    const some = `"${column}"::text not in ('', '\\x', '[]', '{}') and "${column}" is not null`;
    const statements = (changes[type] ?? []).map((change) =>
      update(change.replaceAll("%", `"${column}"`), some),
    );
    assert(statements.length > 0, `${table}.${column}: no change is known for ${type}`);
    if (nullable) statements.push(update("null", `"${column}" is not null`));
    if (nullable && something[type] !== undefined)
      statements.push(update(something[type], `"${column}" is null`));
    let here = 0;
    for (const statement of statements) {
      try {
        await withChange(table, statement, async (rows) => {
          if (rows === 0) return;
          const findings = await chain.prove();
          const blocks = named(findings);
          assert(blocks.includes(busy), `not found: ${statement}`);
          if (!isKey) assert.deepEqual(blocks, [busy], statement);
          here += 1;
        });
      } catch (error) {
        // What the column's own type or constraint refuses cannot be stored: 22 data, 23 constraint.
        if (!/^(22|23)/.test((error as { cause?: { code?: string } }).cause?.code ?? "")) throw error;
      }
    }
    changed += here;
    if (here === 0) untried.push(`${table}.${column}`);
  }
  t.diagnostic(`${changed} changes to ${all.length} columns`);
  assert.deepEqual(untried, [], "columns that nothing was changed in");
});

for (const { name: table } of Object.values(BLOCK_TABLES)) {
  test(`a row that is gone from ${table} is found`, () =>
    withChange(
      table,
      `delete from ${table} where ctid = (select max(ctid) from ${table} where ${blockColumnOf(table)} = ${busy})`,
      async (rows) => {
        assert.equal(rows, 1);
        assert.deepEqual(named(await chain.prove()), [busy]);
      },
    ));
}

const added: Record<string, string> = {
  transactions: "hash = sha256(hash), transaction_index = transaction_index + 1",
  logs: "log_index = log_index + 1",
  withdrawals: "index = index + 1",
  token_transfers: "batch_index = batch_index + 1",
};

for (const [table, change] of Object.entries(added)) {
  test(`a row that was added to ${table} is found, among a block's and where no block is`, async () => {
    for (const block of [busy, 77]) {
      const copy = `
        create temporary table added as select * from ${table} where block_number = ${busy}
          order by 2 desc, 3 desc limit 1;
        update added set block_number = ${block}, ${change};
        insert into ${table} table added; drop table added`;
      await withChange(table, copy, async () => {
        assert.deepEqual(named(await chain.prove()), [block]);
      });
    }
  });
}

test("two rows that changed places are found, within a block and between blocks", async () => {
  const swap = (table: string, a: string, b: string, columns: string[]) => `
    update ${table} as one set ${columns.map((column) => `${column} = other.${column}`).join(", ")}
    from ${table} as other where (one.ctid, other.ctid) in (
      select a.ctid, b.ctid from ${table} a, ${table} b where ${a} and ${b}
      union select b.ctid, a.ctid from ${table} a, ${table} b where ${a} and ${b})`;
  const within = swap(
    "logs",
    `a.block_number = ${busy} and a.log_index = 0`,
    `b.block_number = ${busy} and b.log_index = 1`,
    ["address", "topic0", "topic1", "topic2", "topic3", "data"],
  );
  await withChange("logs", within, async (rows) => {
    assert.equal(rows, 2);
    assert.deepEqual(named(await chain.prove()), [busy]);
  });
  const between = swap(
    "withdrawals",
    `a.block_number = ${busy} and a.index % 16 = 3`,
    "b.block_number = 4 and b.index % 16 = 3",
    ["validator_index", "address", "amount"],
  );
  await withChange("withdrawals", between, async (rows) => {
    assert.equal(rows, 2);
    assert.deepEqual(named(await chain.prove()), [busy, 4]);
  });
});

test("a whole block that is gone is missing where the queue says it is stored, and else not", async () => {
  const gone = async () => {
    for (const { name, blockColumn } of Object.values(BLOCK_TABLES))
      await chain.pool.query(`delete from ${name} where ${blockColumn} = ${busy}`);
  };
  const encoded = chain.encoded(chain.parsed(busy));
  await gone();
  const found = await chain.prove();
  assert.deepEqual(
    found.map(({ kind, from, to }) => ({ kind, from, to })),
    [{ kind: "missing", from: busy, to: busy }],
  );
  await chain.pool.query("update processing_coverage set blocks = '{[0,3),[4,6)}'");
  assert.deepEqual(await chain.prove(), []);
  await chain.pool.query(
    `insert into processing_jobs (block_number, status, completed_at) values (${busy}, 'completed', now())`,
  );
  assert.deepEqual(named(await chain.prove()), [busy]);
  await chain.pool.query("delete from processing_jobs");
  await chain.write([encoded]);
  assert.deepEqual(await chain.prove(), []);
});

test("rows of all blocks without any block are found as few spans", async () => {
  await withChange("blocks", "delete from blocks where number > 0", async () => {
    const spans = (await chain.prove()).map(({ kind, table, from, to }) => [kind, table, from, to]);
    assert.deepEqual(spans, [
      ["missing", "blocks", 1, 5],
      ["orphan", "transactions", 1, 5],
      ["orphan", "logs", 1, 5],
      ["orphan", "withdrawals", 1, 5],
      ["orphan", "token_transfers", 1, 5],
    ]);
  });
});
