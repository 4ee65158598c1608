import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded-postgres.js";
import { alive, descendants, spawnProgram, waitFor } from "./process.js";
import { compiledTests } from "./project.js";

test("a stopped server starts again on the same port with the same data", async (t) => {
  const server = await startEmbeddedPostgres({ settings: { work_mem: "5MB" } });
  t.after(() => server.destroy());
  const { port, pid } = server;
  await ask(server, "create table kept as select 7 as number");
  assert.deepEqual(await ask(server, "show work_mem"), [{ work_mem: "5MB" }]);
  assert.deepEqual(await ask(server, "show synchronous_commit"), [{ synchronous_commit: "on" }]);

  await server.stop("fast");
  assert.equal(server.pid, undefined);
  await assert.rejects(ask(server, "select 1"), { code: "ECONNREFUSED" });

  await server.start();
  assert.equal(server.port, port);
  assert.notEqual(server.pid, pid);
  assert.deepEqual(await ask(server, "select number from kept"), [{ number: 7 }]);
});

test("a killed server keeps what was committed", async (t) => {
  const server = await startEmbeddedPostgres();
  t.after(() => server.destroy());
  await ask(server, "create table kept as select 7 as number");

  const processes = [server.pid ?? 0, ...descendants(server.pid ?? 0)];
  await server.kill();
  assert.deepEqual(processes.filter(alive), []);

  await server.start();
  assert.deepEqual(await ask(server, "select number from kept"), [{ number: 7 }]);
});

test("pg_stat_statements can be loaded", async (t) => {
  const server = await startEmbeddedPostgres({
    settings: { shared_preload_libraries: "pg_stat_statements" },
  });
  t.after(() => server.destroy());
  await ask(server, "create extension pg_stat_statements");
  const [row] = await ask(server, "select count(*)::int as statements from pg_stat_statements");
  assert.ok(Number(row?.statements) > 0);
});

test("a destroyed server leaves no process and no file", async () => {
  const server = await startEmbeddedPostgres();
  const pid = server.pid ?? 0;
  await server.destroy();
  assert.equal(alive(pid), false);
  assert.equal(existsSync(path.dirname(server.logFile)), false);
});

for (const signal of ["SIGKILL", "SIGTERM"] as const) {
  test(`a parent that ends by ${signal} leaves no server and no file behind`, async () => {
    const parent = await spawnProgram([], { script: `${compiledTests}support/owner-of-a-server.js` });
    const { pid, home } = JSON.parse(await parent.line(/^\{/)) as { pid: number; home: string };
    const processes = [pid, ...descendants(pid)];
    assert.ok(processes.every(alive));

    await parent.kill(signal);
    await waitFor(() => !processes.some(alive), { what: "the server to be gone" });
    await waitFor(() => !existsSync(home), { what: "its files to be gone" });
  });
}

async function ask(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
