// docs/OPERATIONS.md, "To a point in time", done for real: a base backup, the WAL archive, a moment.

import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { assertCleanStop, numbers, setScene, until } from "../daemon/scene.js";
import { runClient, skip, startDebianPostgres } from "../support/debian-postgres.js";
import { serverUser } from "../support/postgres-binaries.js";

test("a server that is recovered to a moment under load has exactly the blocks that were committed then, and a daemon goes on from there", {
  skip,
}, async (t) => {
  const server = await startDebianPostgres({ settings: { archive_mode: "on", wal_level: "replica" } });
  t.after(() => server.destroy());
  const user = await serverUser();
  const home = server.socketDirectory;
  const archive = path.join(home, "archive");
  const base = path.join(home, "base");
  for (const folder of [archive, base]) {
    mkdirSync(folder, { mode: 0o700 });
    if (user !== undefined) chownSync(folder, user.uid, user.gid);
  }
  const url = await server.createDatabase("recovered");
  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: "blockmill-test" });
  pool.on("error", () => {});
  t.after(() => pool.end());
  await pool.query(`alter system set archive_command = 'test ! -f ${archive}/%f && cp %p ${archive}/%f'`);
  await pool.query("select pg_reload_conf()");
  const env = { BLOCKMILL_DATABASE_URL: url };
  assert.equal((await blockmill(["init"], env)).code, 0);
  const last = 1_500;
  const scene = await setScene(t, { node: { head: last }, database: { url, pool } });
  const daemon = await scene.start();
  await scene.node.setFaults({ latencyMs: 200 });
  const stored = async () => {
    const { rows } = await pool.query<{ number: number }>("select number::int from blocks order by 1");
    return rows.map(({ number }) => number);
  };

  await scene.insert(1, last);
  await until(async () => (await stored()).length > 0, "a first block");
  const { port, username, password } = new URL(url);
  const place = { PGHOST: "127.0.0.1", PGPORT: port, PGUSER: username, PGPASSWORD: password };
  runClient(server.bin, "pg_basebackup", ["--pgdata", base, "--checkpoint=fast", "--no-sync"], place);

  const more = (await stored()).length + 20;
  await until(async () => (await stored()).length >= more, "more blocks");
  // The moment, and what was committed before it, as a single snapshot says: nothing commits in between.
  const moment = await pool.connect();
  await moment.query("begin; lock table processing_jobs in exclusive mode");
  const then = await moment.query(
    "select clock_timestamp()::text as at, (select array_agg(number::int order by number) from blocks) as blocks",
  );
  const inHand = await moment.query(
    "select count(*)::int as n from processing_jobs where status = 'processing'",
  );
  await moment.query("commit");
  moment.release();
  const [{ at, blocks }] = then.rows as [{ at: string; blocks: number[] }];
  await until(async () => (await stored()).length > blocks.length + 20, "blocks that are lost");
  // Before it recovers: a daemon that stays would settle claims of a time that never was.
  for (const pid of daemon.pids()) process.kill(pid, "SIGKILL");
  await daemon.program.exit;
  await pool.query("select pg_switch_wal()");
  await server.stop();

  // The damaged cluster makes room for the base backup, which is told until when.
  const data = server.dataDirectory;
  const wal = path.join(home, "last-wal");
  cpSync(path.join(data, "pg_wal"), wal, { recursive: true });
  rmSync(data, { recursive: true });
  cpSync(base, data, { recursive: true, mode: 0 });
  // Node 24 gives a copied directory the default mode, with which PostgreSQL does not start.
  chmodSync(data, 0o700);
  const settings = [
    `restore_command = 'cp ${archive}/%f %p || cp ${wal}/%f %p'`,
    `recovery_target_time = '${at}'`,
    "recovery_target_action = 'promote'",
  ];
  appendFileSync(path.join(data, "postgresql.auto.conf"), `${settings.join("\n")}\n`);
  writeFileSync(path.join(data, "recovery.signal"), "");
  if (user !== undefined) chownAll(data, user);
  if (user !== undefined) chownAll(wal, user);
  await server.start();
  await until(async () => {
    const { rows } = await pool
      .query("select pg_is_in_recovery() as recovering")
      .catch(() => ({ rows: [{ recovering: true }] }));
    return rows[0]?.recovering === false;
  }, "the end of the recovery");

  assert.deepEqual(await stored(), blocks);
  const jobs = await scene.jobs();
  assert.deepEqual(
    jobs.filter(({ status }) => status === "completed").map(({ block_number }) => block_number),
    blocks,
  );
  assert.equal(jobs.filter(({ status }) => status === "processing").length, inHand.rows[0].n);
  t.diagnostic(`recovered to ${at}: ${blocks.length} blocks, ${inHand.rows[0].n} jobs in hand`);

  await scene.node.clearFaults();
  const second = await scene.start();
  await scene.settled();
  assert.deepEqual(await stored(), numbers(1, last));
  const verified = await blockmill(["verify", "--sample", "50"], env);
  assert.equal(verified.code, 0, verified.stdout);
  await assertCleanStop(second, pool);
});

function chownAll(folder: string, { uid, gid }: { uid: number; gid: number }): void {
  chownSync(folder, uid, gid);
  for (const entry of readdirSync(folder, { recursive: true, encoding: "utf8" }))
    chownSync(path.join(folder, entry), uid, gid);
}
