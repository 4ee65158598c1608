// The alerts of what a daemon stands on: its server, its disk, its upkeep, its own restarts. On a server of its own, so
// that no neighbour's sessions count.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { schemaVersion } from "../../src/db/schema-version.js";
import { noteUpkeep } from "../../src/queue/upkeep.js";
import { blockmill } from "../cli/blockmill.js";
import { spawnStart } from "../support/daemon.js";
import { startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { drive, quick } from "./alert-faults.js";
import { assertCleanStop, setScene, until } from "./scene.js";

const maxConnections = 80;

async function setServer(t: TestContext) {
  const server = await startEmbeddedPostgres({ settings: { max_connections: String(maxConnections) } });
  t.after(() => server.destroy());
  const pool = new pg.Pool({ connectionString: server.url, max: 4, application_name: "blockmill-test" });
  pool.on("error", () => {});
  t.after(() => pool.end());
  assert.equal((await blockmill(["init"], { BLOCKMILL_DATABASE_URL: server.url })).code, 0);
  return { url: server.url, pool };
}

/** A session of somebody else. */
async function connect(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "a person's psql" });
  client.on("error", () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

const rules = [
  "crash_loop",
  "old_transaction",
  "notification_queue",
  "connections",
  "schema_version",
  "verification_old",
  "backup_old",
  "disk_forecast",
] as const;

test("restarts, sessions, versions, upkeep and the disk: each is told, and over when somebody has seen to it", async (t) => {
  const database = await setServer(t);
  const { url, pool } = database;
  const scene = await setScene(t, { database });
  const env = { BLOCKMILL_DATABASE_URL: url, BLOCKMILL_RPC_URLS: scene.node.url };
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-test-state-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const state = { STATE_DIRECTORY: folder };
  const config = (diskGb: number) => ({
    // So that the server's state is looked at every second.
    database: { old_transaction_seconds: 1 },
    alerts: {
      disk_gb: diskGb,
      rules: {
        crash_loop: { clear_seconds: 1 },
        old_transaction: quick,
        // A queue of eight gigabytes has a million pages; some fifty are filled.
        notification_queue: { ...quick, threshold: 0.002 },
        connections: { ...quick, threshold: 70 },
        schema_version: quick,
        verification_old: quick,
        backup_old: quick,
        disk_forecast: { ...quick, threshold: 10_000 },
      },
    },
  });
  const { fires, clears, assertDriven } = drive(scene);

  for (let life = 1; life <= 4; life += 1) {
    const noted = () => statSync(path.join(folder, "starts.json"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const before = noted();
    const { program, remove } = await spawnStart({
      databaseUrl: url,
      rpcUrls: scene.node.urls,
      config: config(1),
      env: state,
    });
    await until(() => noted() > before, "its start to be noted");
    await program.kill("SIGKILL");
    await remove();
  }
  const daemon = await scene.start(config(1), state);
  await fires("crash_loop");
  await clears("crash_loop");

  const person = await connect(t, url);
  await person.query("listen somewhere");
  await person.query("begin isolation level repeatable read");
  await person.query("select 1");
  await pool.query("select pg_notify('somewhere', repeat('x', 7000) || n) from generate_series(1, 60) as n");
  await fires("old_transaction");
  await fires("notification_queue");
  await person.query("commit");
  await person.query("unlisten *");
  await clears("old_transaction");
  // The next notification finds that everybody has read the others.
  await pool.query("select pg_notify('somewhere', repeat('x', 7000) || n) from generate_series(1, 5) as n");
  await clears("notification_queue");

  const taken: pg.Client[] = [];
  // Those of superusers are reserved beyond it.
  while (taken.length < maxConnections * 0.7) {
    const client = new pg.Client({ connectionString: url, application_name: "a person's pool" });
    client.on("error", () => {});
    await client.connect().catch((error: pg.DatabaseError) => assert.equal(error.code, "53300"));
    taken.push(client);
  }
  await fires("connections");
  await Promise.all(taken.map((client) => client.end().catch(() => {})));
  await clears("connections");

  await pool.query(
    "insert into schema_version (version, accepts) values ($1, (select min(accepts) from schema_version))",
    [schemaVersion + 1],
  );
  await fires("schema_version");
  await pool.query("delete from schema_version where version > $1", [schemaVersion]);
  await clears("schema_version");

  await scene.insert(1, 200);
  await scene.settled();
  const verify = async () => assert.equal((await blockmill(["verify", "1", "5"], env)).code, 0);
  const passes = (what: string, days: number) =>
    pool.query(
      "update processing_upkeep set done_at = done_at - $2 * interval '1 day' where what = $1 returning what",
      [what, days],
    );
  await verify();
  await noteUpkeep(pool, "backup");
  assert.equal((await passes("verification", 9)).rowCount, 1);
  assert.equal((await passes("backup", 4)).rowCount, 1);
  await fires("verification_old");
  await fires("backup_old");
  await verify();
  await noteUpkeep(pool, "backup");
  await clears("verification_old");
  await clears("backup_old");

  // Two hours after the first measurement another one finds that the tables have grown.
  await pool.query("update processing_disk set sampled_at = sampled_at - interval '2 hours'");
  process.kill(daemon.orchestrator().pid, "SIGKILL");
  await fires("disk_forecast");
  await daemon.stop();
  const second = await scene.start(config(1_000_000));
  await clears("disk_forecast");

  await assertDriven("alerts-database", [daemon, second], rules);
  await assertCleanStop(second, pool);
});
