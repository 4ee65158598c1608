import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ConnectionOptions,
  connectionConfig,
  openingOf,
  poolConfig,
  settingsOf,
} from "../../src/db/connection.js";
import { useQueue } from "../queue/queue-database.js";

const database = useQueue();

const options: ConnectionOptions = {
  url: "postgresql://user@host/chain",
  schema: "public",
  applicationName: "blockmill test",
  connectTimeoutMs: 1_000,
  statementTimeoutMs: 1_234.4,
};

test("the schema is alone on the search_path, quoted where it must be, and temporary tables come last", () => {
  assert.equal(settingsOf({ schema: "chain_1", statementTimeoutMs: 1 }).search_path, "chain_1,pg_temp");
  assert.equal(settingsOf({ schema: "Chain", statementTimeoutMs: 1 }).search_path, '"Chain",pg_temp');
});

test("a session is opened with all settings, and a pooler's connection with none", () => {
  const session = connectionConfig(options);
  assert.equal(session.statement_timeout, 1_234);
  assert.match(session.options ?? "", /-c search_path=public,pg_temp -c TimeZone=UTC/);
  assert.deepEqual(poolConfig(options), session);
  const pooled = poolConfig({ ...options, poolUrl: "postgresql://user@pooler/chain" });
  assert.equal(pooled.options, undefined);
  assert.equal(pooled.statement_timeout, undefined);
});

test("an opening begins a transaction with all settings, tells which it is, and leaves nothing behind", async () => {
  const client = await database.pool.connect();
  try {
    const before = await client.query("show statement_timeout");
    const answers = (await client.query(openingOf(options))) as unknown as {
      rows: Record<string, unknown>[];
    }[];
    const row = answers[1]?.rows[0];
    const { rows } = await client.query<{ pid: number; began: string }>(
      `select pid, extract(epoch from xact_start)::text as began from pg_stat_activity where pid = pg_backend_pid()`,
    );
    assert.deepEqual({ pid: row?.pid, began: row?.began }, rows[0]);
    for (const [name, value] of Object.entries(settingsOf(options)))
      assert.equal(
        row?.[name],
        (await client.query("select current_setting($1) as value", [name])).rows[0].value,
        `${name}: ${value}`,
      );
    await client.query("commit");
    assert.deepEqual((await client.query("show statement_timeout")).rows, before.rows);
  } finally {
    client.release(true);
  }
});
