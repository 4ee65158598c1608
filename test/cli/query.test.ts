import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { refuseLargeScans } from "../../src/cli/query.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { blockmill } from "./blockmill.js";

let database: TestDatabase;
let env: Record<string, string>;

const transfer = "Transfer(address indexed from, address indexed to, uint256 value)";
const topic0 = "\\xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

before(async () => {
  database = await createDatabase();
  env = { BLOCKMILL_DATABASE_URL: database.url };
  await database.pool.query(
    `insert into logs (block_number, log_index, block_hash, transaction_hash, transaction_index, address, topic0, topic1, topic2, data)
     select n, 0, '\\x01', '\\x02', 0, '\\xaa', $1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 31) || '07', 'hex'),
       decode(lpad(to_hex(n), 64, '0'), 'hex')
     from generate_series(1, 2500) n`,
    [topic0],
  );
});
after(() => database.drop());

const query = (...args: string[]) => blockmill(["query", ...args], env);

test("an event is a table for one query, in every format, also where the rows come in several parts", async () => {
  const sql = "select block_number, to_, value from transfer order by value desc";
  const json = await query("--event", transfer, "--format", "json", sql);
  assert.equal(json.code, 0, json.stderr);
  const rows = JSON.parse(json.stdout);
  assert.equal(rows.length, 2_500);
  assert.deepEqual(rows[0], { block_number: 2_500, to_: `0x${"00".repeat(19)}07`, value: "2500" });
  const csv = await query("--event", transfer, "--format", "csv", sql);
  assert.equal(csv.stdout.split("\r\n").length, 2_502);
  assert.match(csv.stdout, /^block_number,to_,value\r\n2500,0x0{38}07,2500\r\n/);
  const table = await query("--event", "erc20", "select sum(value) from transfer;");
  assert.match(table.stdout, /sum\n +3126250\n$/);
});

test("--print gives SQL that psql takes, and runs nothing", async () => {
  const { stdout, code } = await blockmill(
    ["query", "--event", transfer, "--print", "select count(*) from transfer"],
    {
      ...env,
      BLOCKMILL_DATABASE_URL: "postgresql://nobody:wrong@127.0.0.1:1/none",
    },
  );
  assert.equal(code, 0);
  const { rows } = await database.pool.query(stdout);
  assert.deepEqual(rows, [{ count: "2500" }]);
});

test("it only reads, whatever the SQL is", async () => {
  for (const sql of [
    "delete from logs",
    "select 1) x; commit; delete from logs; select * from (select 1",
    "select nextval('processing_ranges_id_seq')",
    "with gone as (delete from logs returning 1) select * from gone",
  ]) {
    const { code, stderr } = await query("--scan", sql);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /^blockmill: SQL: /);
  }
  const { rows } = await database.pool.query("select count(*)::int as logs from logs");
  assert.deepEqual(rows, [{ logs: 2_500 }]);
});

test("what is wrong with the SQL or an event is told in a line, with what there is", async () => {
  const cases: [args: string[], message: RegExp][] = [
    [["--event", transfer, "select * from swap"], /SQL: .*"swap" does not exist; the events are transfer/],
    [["select * from transfer"], /--event makes a table of an event/],
    [
      ["--event", transfer, "select amount from transfer"],
      /column "amount" does not exist; transfer has from_, to_, value/,
    ],
    [["selec 1"], /SQL: .*syntax error/],
    [[" "], /SQL: expected a SELECT/],
    [["--event", "Foo(addres a)", "select 1"], /--event: .*addres/],
    [["--event", "E(string[] a)", "select 1"], /--event: E\(string\[\]\): the argument a is string\[\]/],
    [["--format", "xml", "select 1"], /table, json, csv/],
    [["--timeout", "1", "select pg_sleep(30)"], /it took longer than 1 s/],
  ];
  for (const [args, message] of cases) {
    const { code, stderr } = await query(...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
    assert(!stderr.includes("defect"), stderr);
  }
});

test("what would be read from beginning to end is refused above a gigabyte, with its size and how to go on", () => {
  const gigabyte = 1024 ** 3;
  refuseLargeScans([]);
  refuseLargeScans([{ table: "logs", bytes: gigabyte }]);
  assert.throws(
    () =>
      refuseLargeScans(["logs_0", "logs_0", "logs_1", "a", "b"].map((table) => ({ table, bytes: gigabyte }))),
    /reads logs_0, logs_1, a, \.\.\. from beginning to end \(5\.4 GB\): .*block_number or address.*--scan/,
  );
});
