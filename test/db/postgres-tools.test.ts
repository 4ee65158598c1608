// Programs of the tools' names, written by the test, stand first on the PATH.

import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import type { Sql } from "../../src/db/pool.js";
import { checkTool, libpqEnvironment, runTool, ToolError } from "../../src/db/postgres-tools.js";
import { ConfigError } from "../../src/errors.js";

const folder = mkdtempSync(path.join(tmpdir(), "blockmill-tools-"));
after(() => rmSync(folder, { recursive: true }));
const env = { PATH: `${folder}:/usr/bin:/bin` };

function program(script: string): void {
  const file = path.join(folder, "pg_dump");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

const serverOf = (major: number) => ({ query: async () => ({ rows: [{ major }] }) }) as unknown as Sql;

test("a program's output is returned, and its last words where it fails", async () => {
  program('echo "$1 é"');
  assert.equal(await runTool("pg_dump", ["a b"], { env }), "a b é\n");
  program("echo said; echo 'it is full' >&2; exit 3");
  await assert.rejects(runTool("pg_dump", [], { env }), new ToolError("it is full"));
  program("exit 3");
  await assert.rejects(runTool("pg_dump", [], { env }), new ToolError("pg_dump ended with exit code 3"));
});

test("a program that is not there is the configuration's error", async () => {
  await assert.rejects(
    runTool("pg_restore", [], { env: { PATH: folder } }),
    (error) => error instanceof ConfigError && /not on the PATH/.test(error.message),
  );
});

test("a signal ends the program, which is gone by then", async () => {
  program("exec sleep 3600");
  await assert.rejects(
    runTool("pg_dump", [], { env, signal: AbortSignal.abort() }),
    new ToolError("pg_dump was interrupted", { interrupted: true }),
  );
});

test("client programs older than the server are refused, newer ones taken", async () => {
  program("echo 'pg_dump (PostgreSQL) 17.2 (Debian 17.2-1)'");
  await checkTool("pg_dump", serverOf(17), env);
  await checkTool("pg_dump", serverOf(15), env);
  await assert.rejects(checkTool("pg_dump", serverOf(18), env), /is of PostgreSQL 17, the server of 18/);
});

test("libpq connects as blockmill does, and nothing from elsewhere steers it", () => {
  const given = libpqEnvironment("postgresql://me:secret@db:6543/chain?sslmode=no-verify", {
    env: { PATH: "p", PGSERVICE: "other", PGHOSTADDR: "1.2.3.4", PGOPTIONS: "-c x=1", PGUSER: "you" },
    applicationName: "blockmill backup",
  });
  assert.deepEqual(given, {
    PATH: "p",
    PGUSER: "me",
    PGPASSWORD: "secret",
    PGHOST: "db",
    PGPORT: "6543",
    PGDATABASE: "chain",
    PGAPPNAME: "blockmill backup",
    PGSSLMODE: "require",
  });
  const modeOf = (query: string) =>
    libpqEnvironment(`postgresql://me@db/chain${query}`, { env: {}, applicationName: "a" }).PGSSLMODE;
  assert.deepEqual(["", "?ssl=true", "?ssl=0", "?sslmode=disable"].map(modeOf), [
    undefined,
    "verify-full",
    "disable",
    "disable",
  ]);
});

test("libpq verifies a server's certificate where blockmill does, by the same file or the system's", () => {
  const rootOf = (query: string) =>
    libpqEnvironment(`postgresql://me@db/chain?${query}`, {
      env: { PGSSLROOTCERT: "r" },
      applicationName: "a",
    }).PGSSLROOTCERT;
  assert.deepEqual(["sslmode=require", "sslmode=require&sslrootcert=f", "sslmode=no-verify"].map(rootOf), [
    "r",
    "f",
    undefined,
  ]);
  const { PGSSLROOTCERT } = libpqEnvironment("postgresql://me@db/chain?sslmode=require", {
    env: {},
    applicationName: "a",
  });
  assert.equal(PGSSLROOTCERT, "system");
});
