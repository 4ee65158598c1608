// Locks of somebody else's: they are named, and those that anybody may take do no harm.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { assertCleanStop, numbers, type Scene, said, setScene, until } from "./scene.js";

async function connect(t: TestContext, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "somebody" });
  client.on("error", () => {});
  await client.connect();
  t.after(() => client.end());
  return client;
}

/** A session of a role that may do nothing here but connect. */
async function connectStranger(t: TestContext, { databaseUrl, pool }: Scene) {
  const role = `stranger_${process.pid}`;
  await pool.query(`create role ${role} login password 'stranger'`);
  const url = new URL(databaseUrl);
  url.username = role;
  url.password = "stranger";
  const stranger = await connect(t, url.href);
  const leave = async () => {
    await stranger.end();
    await pool.query(`drop role ${role}`);
  };
  return { stranger, leave };
}

const openAlert = async ({ pool }: Scene) =>
  (await pool.query("select message from alerts where kind = 'lock_wait' and cleared_at is null")).rows[0]
    ?.message as string | undefined;

const pidOf = async (client: pg.Client) =>
  (await client.query("select pg_backend_pid() as pid")).rows[0]?.pid as number;

for (const [what, statement] of Object.entries({
  "an inserted job at the head's height": "insert into processing_jobs (block_number) values (401)",
  "the lock of the head": "select from processing_head for update",
})) {
  test(`an open transaction that holds ${what} is named in an alert, in the log and in status`, async (t) => {
    const scene = await setScene(t);
    const daemon = await scene.start({ pipeline: { auto_enqueue: true, check_interval: 0.2 } });
    const isStored = async (block: number) =>
      (await scene.pool.query("select from blocks where number = $1", [block])).rowCount === 1;
    await until(() => isStored(400), "the first head");
    const client = await connect(t, scene.databaseUrl);
    await client.query("begin");
    await client.query(statement);
    await scene.node.mine(1);
    await until(async () => (await openAlert(scene)) !== undefined, "the alert");
    const pid = await pidOf(client);
    assert.match(
      (await openAlert(scene)) ?? "",
      new RegExp(`pid ${pid}, somebody, .*pg_terminate_backend\\(${pid}\\)`),
    );
    await said(daemon, new RegExp(`pg_terminate_backend\\(${pid}\\)`));
    const status = await blockmill(["status"], { BLOCKMILL_DATABASE_URL: scene.databaseUrl });
    assert.match(status.stdout, new RegExp(`pg_terminate_backend\\(${pid}\\)`));
    await client.query("rollback");
    await until(() => isStored(401), "the head behind it");
    await until(async () => (await openAlert(scene)) === undefined, "the alert to be cleared");
    await assertCleanStop(daemon, scene.pool);
  });
}

test("a job that every claim passes over, since somebody has locked it, is named with its holder", async (t) => {
  const scene = await setScene(t);
  const client = await connect(t, scene.databaseUrl);
  await scene.insert(1, 3);
  await client.query("begin; select from processing_jobs where block_number = 2 for update");
  const daemon = await scene.start();
  await until(async () => (await openAlert(scene)) !== undefined, "the alert");
  assert.match(
    (await openAlert(scene)) ?? "",
    new RegExp(`^the job of block 2 is held by .*pid ${await pidOf(client)}`),
  );
  await client.query("rollback");
  await scene.settled();
  await assertCleanStop(daemon, scene.pool);
});

test("status does not hang on a locked table: it names the session and ends", async (t) => {
  const scene = await setScene(t);
  const client = await connect(t, scene.databaseUrl);
  await client.query("begin; lock table processing_jobs in access exclusive mode");
  const pid = await pidOf(client);
  const { code, stderr } = await blockmill(["status"], { BLOCKMILL_DATABASE_URL: scene.databaseUrl });
  assert.notEqual(code, 0);
  assert.match(stderr, new RegExp(`the table processing_jobs is held by .*pid ${pid}`));
});

test("a stranger who holds our advisory keys keeps nobody from leading, leasing or releasing claims", async (t) => {
  const scene = await setScene(t);
  const { stranger, leave } = await connectStranger(t, scene);
  for (const key of ["blockmill orchestrator public", "blockmill candidates public", "lost.1.abcdef"])
    await stranger.query("select pg_advisory_lock(hashtextextended($1, 0))", [key]);
  // Claims of a host that is lost, whose key the stranger holds.
  await scene.pool.query(
    `insert into processing_jobs (block_number, status, worker_id, started_at)
     values (7, 'processing', 'lost.1.abcdef/w1', now() - interval '1 minute')`,
  );
  const daemon = await scene.start({ pipeline: { auto_enqueue: true, check_interval: 0.2 } });
  await until(
    async () => (await scene.pool.query("select from blocks where number in (7, 400)")).rowCount === 2,
    "the head, and the lost host's block",
  );
  await scene.insert(1, 3);
  await scene.settled();
  await scene.assertWrittenOnce([...numbers(1, 3), 7, 400]);
  await leave();
  await assertCleanStop(daemon, scene.pool);
});

test("a stranger who holds the keys between blocks keeps none from being stored, and is named", async (t) => {
  const scene = await setScene(t);
  const { stranger, leave } = await connectStranger(t, scene);
  await stranger.query(
    "select pg_advisory_lock(hashtext('blockmill links public'), n) from generate_series(1, 60) as n",
  );
  await scene.insert(1, 50);
  const daemon = await scene.start();
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 50));
  await said(daemon, new RegExp(`stranger_.*pid ${await pidOf(stranger)}.*advisory lock`));
  await leave();
  await assertCleanStop(daemon, scene.pool);
});
