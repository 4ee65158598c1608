import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type CompiledEvent, parseEvent } from "../../src/abi/compile.js";
import { eventSql } from "../../src/abi/event-sql.js";
import { SignatureError } from "../../src/abi/signature-error.js";
import { extentOf } from "../model/seed.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { decoded, type Field, type HexLog } from "./decoded.js";
import { type KnownEvent, randomLog, randomOf, sixtyEvents } from "./random-logs.js";

/** Logs lie a million blocks apart from nothing: each has a block of its own. */
const { seed, scripts: logCount } = extentOf({ scripts: 1_500 });
const logs: HexLog[] = Array.from(
  { length: logCount },
  (_, i) => randomLog(randomOf((seed + i) % 2 ** 32)).log,
);
const address = Buffer.alloc(20, 0xaa);

let database: TestDatabase;

before(async () => {
  database = await createDatabase({ partitionBlocks: 0 });
  const bytea = (hex: string | undefined) => (hex === undefined ? null : `\\x${hex.slice(2)}`);
  await database.pool.query(
    `insert into logs (block_number, log_index, block_hash, transaction_hash, transaction_index, address, topic0, topic1, topic2, topic3, data)
     select i - 1, 0, '\\x00', '\\x01', 0, case when i % 50 = 0 then $1::bytea else '\\xbb' end, t0::bytea, t1::bytea, t2::bytea, t3::bytea, data::bytea
     from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality as u (t0, t1, t2, t3, data, i)`,
    [
      address,
      ...[0, 1, 2, 3].map((n) => logs.map(({ topics }) => bytea(topics[n]))),
      logs.map(({ data }) => bytea(data)),
    ],
  );
  await database.pool.query(
    "create index on logs (topic0); create index on logs (address, topic0); analyze logs",
  );
});
after(() => database.drop());

function sqlOf({ event }: KnownEvent): string | undefined {
  try {
    return eventSql(event);
  } catch (error) {
    assert(error instanceof SignatureError);
    return undefined;
  }
}

const inSql = sixtyEvents.flatMap((known) => {
  const sql = sqlOf(known);
  return sql === undefined ? [] : [{ ...known, sql }];
});

test("of each event that SQL decodes, the rows are those of decode", async (t) => {
  let rowCount = 0;
  for (const { event, sql } of inSql) {
    const expected = logs.flatMap((log, block) => {
      const isNamed = event.topic0 === undefined || log.topics[0] === `0x${event.topic0.toString("hex")}`;
      const row = isNamed ? decoded(event, log) : undefined;
      return row === undefined ? [] : [[String(block), ...Object.values(row).map(asText)]];
    });
    const columns = [...event.columns.map(({ name, type }) => [name, type]), ["undecodable", "text[]"]];
    const texts = columns.map(([name, type]) =>
      type?.endsWith("[]") ? `to_json(v."${name}"::text[])::text` : `v."${name}"::text`,
    );
    const { rows } = await database.pool.query<string[]>({
      ...{
        text: `select ${["block_number::text", ...texts].join(", ")} from (${sql}) v order by v.block_number`,
      },
      rowMode: "array",
    });
    const wrong = rows.findIndex((row, i) => !isDeepStrictEqual(row, expected[i]));
    assert.deepEqual(rows[wrong], expected[wrong], event.definition);
    assert.equal(rows.length, expected.length, event.definition);
    rowCount += rows.length;
  }
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed}: ${inSql.length} events, ${rowCount} rows`);
  assert(inSql.length >= 40);
});

/** As PostgreSQL's ::text has it; arrays as JSON of their items' text. */
function asText(field: Field): string | null {
  if (field === null) return null;
  if (Array.isArray(field)) return JSON.stringify(field.map(asText));
  return typeof field === "string" && field.startsWith("0x") ? `\\${field.slice(1)}` : String(field);
}

test("no column's expression fails, whatever the log: PostgreSQL may evaluate it before the condition", async () => {
  for (const { event, sql } of inSql) {
    const [all = ""] = sql.split("\nwhere ");
    const count = event.columns.map(({ name }) => `count(v."${name}")`).join(", ") || "1";
    await database.pool.query(`select ${count} from (${all}) v`);
    const conditions = /\nwhere (.*)$/s.exec(sql)?.[1]?.split("\n  and ") ?? [];
    const each = conditions.map((condition) => `count(*) filter (where not (${condition}))`).join(", ");
    await database.pool.query(`select ${each} from logs l`);
  }
});

async function planOf(sql: string): Promise<string> {
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    await client.query("set local enable_seqscan = off");
    const { rows } = await client.query<{ "QUERY PLAN": string }>(`explain ${sql}`);
    await client.query("rollback");
    return rows.map((row) => row["QUERY PLAN"]).join("\n");
  } finally {
    client.release();
  }
}

test("a condition on the block, the address or the kind of event reaches an index, and blocks is read only for its time", async () => {
  const transfer = eventSql(parseEvent("Transfer(address indexed from, address indexed to, uint256 value)"));
  assert.match(await planOf(`select value from (${transfer}) v`), /Index Cond: \(topic0 = /);
  const ofOne = await planOf(`select value from (${transfer}) v where address = '\\x${"aa".repeat(20)}'`);
  assert.match(ofOne, /Index Cond: .*address = .*topic0 = /);
  const ofBlocks = await planOf(`select value from (${transfer}) v where block_number between 5 and 6`);
  assert.match(ofBlocks, /Index Cond: .*block_number >= 5\) AND \(.*block_number <= 6/);
  assert.doesNotMatch(ofBlocks, /blocks/);
  assert.match(
    await planOf(`select block_timestamp from (${transfer}) v where block_number = 5`),
    /blocks_pkey/,
  );
});

test("it is a view's text, names its schema, and may be of some contracts only", async () => {
  const event: CompiledEvent = parseEvent("Sync(uint112 reserve0, uint112 reserve1)");
  const other = Buffer.alloc(20, 0xcc);
  // Which events the random logs of these contracts are is left to chance.
  await database.pool.query(
    `insert into logs (block_number, log_index, block_hash, transaction_hash, transaction_index, address, topic0, data)
     values ($1, 0, '\\x00', '\\x01', 0, $2, $3, $4)`,
    [logCount, address, event.topic0, Buffer.alloc(64)],
  );
  for (const [addresses, isAny] of [
    [[address, other], true],
    [[other], false],
    [[], false],
  ] as const) {
    const sql = eventSql(event, { schema: "public", addresses });
    await database.pool.query(`create or replace view syncs as ${sql}`);
    const { rows } = await database.pool.query(
      "set search_path to pg_catalog; select count(*) > 0 as any from public.syncs".split(";")[1] ?? "",
    );
    assert.equal(rows[0].any, isAny);
  }
});

test("what SQL does not decode is refused, with the argument and what to do", () => {
  for (const [signature, argument] of [
    ["E(string[] names)", "names is string\\[\\]"],
    ["E(uint256[][] a)", "a is uint256\\[\\]\\[\\]"],
    ["E((uint8 a)[] list)", "list is \\(uint8\\)\\[\\]"],
  ] as const)
    assert.throws(() => eventSql(parseEvent(signature)), new RegExp(`the argument ${argument}.*decode`));
});
