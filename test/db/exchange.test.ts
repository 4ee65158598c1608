import assert from "node:assert/strict";
import { beforeEach, type TestContext, test } from "node:test";
import type pg from "pg";
import { type Statement, sendTogether } from "../../src/db/exchange.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

beforeEach(() => queue.rows("create table if not exists lines (line text primary key)"));

/** A connection inside a transaction, which is rolled back. */
async function transaction(t: TestContext): Promise<pg.PoolClient> {
  const client = await queue.pool.connect();
  t.after(async () => {
    await client.query("rollback").catch(() => {});
    client.release(true);
  });
  await client.query("begin");
  return client;
}

const statement = (text: string, values: unknown[] = [], name?: string): Statement<unknown[]> => ({
  query: { text, values, ...(name === undefined ? {} : { name }) },
  read: ({ rows }) => rows,
});

const copy = (lines: string[], table = "lines"): Statement<number | null> => ({
  query: { text: `copy ${table} from stdin` },
  data: lines.map((line) => Buffer.from(`${line}\n`)),
  read: ({ rowCount }) => rowCount,
});

/** Afterwards, the connection and what it has prepared are as good as before. */
async function assertWorksOn(client: pg.PoolClient): Promise<void> {
  await client.query("rollback");
  await client.query("begin");
  const answers = await sendTogether(client, [
    statement("select $1::int as n", [1], "one"),
    statement("select $1::int as n", [2], "two"),
    copy(["works on"]),
  ]);
  assert.deepEqual(answers, [[{ n: 1 }], [{ n: 2 }], 1]);
}

test("each statement has its own answer, also when it is prepared already", async (t) => {
  const client = await transaction(t);
  for (const n of [1, 2, 3]) {
    const answers = await sendTogether(client, [
      statement("select $1::int as n, 7::bigint as big", [n], "one"),
      copy([`a${n}`, `b${n}`]),
      statement("select count(*)::int as n from lines"),
      statement("select from lines where false"),
      copy([]),
      statement("delete from lines where line = $1 returning line", [`a${n}`], "two"),
    ]);
    assert.deepEqual(answers, [[{ n, big: 7 }], 2, [{ n: n + 1 }], [], 0, [{ line: `a${n}` }]]);
  }
  assert.deepEqual(await sendTogether(client, []), []);
});

test("a COPY of many megabytes arrives whole, and the statement behind it runs", async (t) => {
  const client = await transaction(t);
  const lines = Array.from({ length: 300 }, (_, i) => `${String(i).padStart(5, "0")}${"x".repeat(100_000)}`);
  await client.query("create temporary table long (line text)");
  const answers = await sendTogether(client, [
    copy(lines, "long"),
    statement("select count(distinct line)::int as n, sum(length(line))::int as bytes from long"),
  ]);
  assert.deepEqual(answers, [300, [{ n: 300, bytes: 300 * 100_005 }]]);
});

test("when a statement fails nothing behind it runs, its error is thrown, and the connection works on", async (t) => {
  const client = await transaction(t);
  const all = [
    statement("select $1::int as n", [1], "one"),
    statement("select 1 / $1::int as n", [0], "fails"),
    copy(["never read"]),
    statement("select $1::int as n", [2], "two"),
  ] as const;
  await assert.rejects(sendTogether(client, all), { code: "22012" });
  await assertWorksOn(client);
  await assert.rejects(sendTogether(client, all), { code: "22012" });
  await assertWorksOn(client);
});

test("when a COPY fails, before its data or within, nothing behind it runs, and the connection works on", async (t) => {
  const client = await transaction(t);
  const last = statement("select $1::int as n", [2], "two");
  const many = Array.from({ length: 1_000 }, () => "x".repeat(1_000));
  await assert.rejects(sendTogether(client, [copy(many, "nowhere"), last]), { code: "42P01" });
  await assertWorksOn(client);
  await assert.rejects(sendTogether(client, [copy(many), copy(["b"]), last]), { code: "23505" });
  await assertWorksOn(client);
});

test("values that cannot be sent are refused, and nothing of what was before them stays", async () => {
  const client = await queue.pool.connect();
  await client.query("begin");
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  const all = [copy(["early"]), statement("select $1::jsonb", [circular], "bad"), statement("commit")];
  await assert.rejects(sendTogether(client, all), /circular/);
  await assert.rejects(client.query("commit"));
  client.release(true);
  assert.deepEqual(await queue.rows("select from lines"), []);
});

test("an answer that cannot be read is an error, and the connection works on", async (t) => {
  const client = await transaction(t);
  const beyond = statement("select 9007199254740993::bigint as n");
  await assert.rejects(sendTogether(client, [beyond, copy(["a"])]), /beyond 2\^53/);
  await assertWorksOn(client);
});

test("a connection that is lost in the middle is an error, not the end of the process", async () => {
  const client = await queue.pool.connect();
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  await client.query("begin");
  const lost = assert.rejects(
    sendTogether(client, [copy(["lost"]), statement("select pg_sleep(60)"), copy(["never"])]),
    { code: "57P01" },
  );
  await queue.pool.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
  await lost;
  client.release(true);
  assert.deepEqual(await queue.rows("select from lines"), []);
});
