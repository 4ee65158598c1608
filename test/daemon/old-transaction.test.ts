import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { assertCleanStop, said, setScene, until } from "./scene.js";

test("a transaction that somebody left open is told by an alert that names it, until it ends", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ database: { old_transaction_seconds: 1 } });
  const open = async () =>
    (await scene.pool.query<{ message: string }>("select message from alerts where cleared_at is null")).rows;

  const person = new pg.Client({ connectionString: scene.databaseUrl, application_name: "a person's psql" });
  // When the test fails, the database is dropped under it.
  person.on("error", () => {});
  await person.connect();
  await person.query("begin isolation level repeatable read");
  const { rows } = await person.query<{ pid: number }>("select pg_backend_pid() as pid");
  const pid = rows[0]?.pid;
  await until(async () => (await open()).length === 1, "an alert");
  const [alert] = await open();
  assert.match(
    alert?.message ?? "",
    new RegExp(
      `pid ${pid}, a person's psql, idle in transaction\\) is open for .*pg_terminate_backend\\(${pid}\\)`,
    ),
  );
  await said(daemon, /"alert":"old_transaction"/);
  const status = await blockmill(["status"], { BLOCKMILL_DATABASE_URL: scene.databaseUrl });
  assert.match(status.stdout, /pg_terminate_backend/);
  // It keeps no work from being done.
  await scene.insert(1, 20);
  await scene.settled();

  await person.query("commit");
  await person.end();
  await until(async () => (await open()).length === 0, "the alert to be cleared");
  await assertCleanStop(daemon, scene.pool);
});
