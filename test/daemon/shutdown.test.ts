import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { createDatabase } from "../support/database.js";
import { createRole } from "../support/role.js";
import { assertCleanStop, numbers, said, setScene } from "./scene.js";

test("SIGTERM lets the workers finish what they hold, and leaves nothing in processing", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  await scene.node.setFaults({ latencyMs: 400 });
  await scene.insert(1, 60);
  const held = await scene.claimed(2);
  await assertCleanStop(daemon, scene.pool);

  const jobs = await scene.jobs();
  const finished = jobs.filter(({ status }) => status === "completed");
  const untouched = jobs.filter(
    ({ status, attempts, deaths }) => status === "pending" && attempts === 0 && deaths === 0,
  );
  assert.equal(finished.length + untouched.length, 60);
  assert(untouched.length > 0, "it was to end before all is done");
  for (const { block_number } of held) {
    assert(
      finished.some((job) => job.block_number === block_number),
      `block ${block_number} was finished`,
    );
  }
  await scene.assertWrittenOnce(finished.map(({ block_number }) => block_number));
  const { rows } = await scene.pool.query("select from processing_failures");
  assert.equal(rows.length, 0);
});

for (const [what, config, signals] of [
  ["a second SIGTERM", { drain_seconds: 3_600 }, 2],
  ["the drain's deadline", { drain_seconds: 0.5 }, 1],
] as const) {
  test(`${what} gives the claims back, uncounted, and ends`, async (t) => {
    const scene = await setScene(t);
    const daemon = await scene.start({ pipeline: config, rpc: { timeout_ms: 600_000 } });
    await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
    await scene.insert(1, 4);
    await scene.claimed(2);
    daemon.program.child.kill("SIGTERM");
    await said(daemon, /draining/);
    if (signals === 2) daemon.program.child.kill("SIGTERM");
    assert.deepEqual(await daemon.program.exit, { code: 0, signal: null });
    const jobs = await scene.jobs();
    assert(
      jobs.every(({ status, attempts, deaths }) => status === "pending" && attempts === 0 && deaths === 0),
      JSON.stringify(jobs),
    );
    await assertCleanStop(daemon, scene.pool);
  });
}

/** Has PostgreSQL refuse, as if it were away, what takes claims back on connections of such a name. */
async function refuseGivingBack(pool: pg.Pool, names: string): Promise<void> {
  await pool.query(`
    create or replace function refuse_giving_back() returns trigger language plpgsql as $$
    begin
      if current_setting('application_name') ~ '${names}' then
        raise exception 'the database system is starting up' using errcode = 'cannot_connect_now';
      end if;
      return new;
    end $$`);
  await pool.query(`
    create or replace trigger refuse_giving_back before update on processing_jobs for each row
    when (old.status = 'processing' and new.status = 'pending') execute function refuse_giving_back()`);
}

/** A daemon that held claims as it ended, which nobody on connections of such a name could give back. */
async function endWithClaims(t: TestContext, names: string) {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { drain_seconds: 0.5 }, rpc: { timeout_ms: 60_000 } });
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
  await scene.insert(1, 4);
  await scene.claimed(2);
  await refuseGivingBack(scene.pool, names);
  daemon.program.child.kill("SIGTERM");
  assert.deepEqual(await daemon.program.exit, { code: 0, signal: null });
  return { scene, daemon };
}

test("what a worker could not give back as it ended, its supervisor gives back, uncounted", async (t) => {
  const { scene, daemon } = await endWithClaims(t, "^blockmill [^ ]+/w");
  for (const job of await scene.jobs()) {
    const { status, attempts, deaths } = job;
    assert.deepEqual({ status, attempts, deaths }, { status: "pending", attempts: 0, deaths: 0 });
  }
  await assertCleanStop(daemon, scene.pool);
});

test("a supervisor that ends and leaves claims stays registered, so that the next daemon releases them at once", async (t) => {
  const { scene } = await endWithClaims(t, "^blockmill ");
  const left = await scene.pool.query("select from processing_jobs where status = 'processing'");
  assert(left.rows.length > 0);
  await scene.pool.query("drop trigger refuse_giving_back on processing_jobs");
  const registered = await scene.pool.query("select role from processing_workers");
  assert.deepEqual(registered.rows, [{ role: "supervisor" }]);
  await scene.node.clearFaults();
  const next = await scene.start();
  // Claims of a supervisor that nobody knows have half a minute, and are the leader's to release.
  const line = await said(next, /released (?:what an earlier supervisor|the claims of lost workers)/);
  assert.match(line, /released what an earlier supervisor of this host left/);
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 4));
  await assertCleanStop(next, scene.pool);
});

test("SIGINT drains as SIGTERM does, also when the whole process group gets it", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  await scene.node.setFaults({ latencyMs: 300 });
  await scene.insert(1, 2);
  await scene.claimed(2);
  for (const pid of daemon.pids()) process.kill(pid, "SIGINT");
  assert.deepEqual(await daemon.program.exit, { code: 0, signal: null });
  const jobs = await scene.jobs();
  assert(jobs.every(({ status }) => status === "completed"));
  await scene.assertWrittenOnce(numbers(1, 2));
  await assertCleanStop(daemon, scene.pool);
});

test("a daemon that is told to end while the database is away ends", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  // Nobody may connect any more, and whoever is connected is not.
  const url = new URL(scene.databaseUrl);
  const name = url.pathname.slice(1);
  url.pathname = "/postgres";
  const admin = new pg.Client({ connectionString: url.href, application_name: "blockmill-test" });
  await admin.connect();
  t.after(() => admin.end());
  await admin.query(`alter database ${name} allow_connections false`);
  await scene.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'blockmill %' and datname = current_database()",
  );
  await said(daemon, /lease of this host is lost/);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a daemon whose role loses its rights still ends at a signal, without a word of a defect", async (t) => {
  const database = await createDatabase();
  const role = await createRole(t, database, "worker");
  const scene = await setScene(t, { database: { url: role.url, pool: database.pool } });
  const daemon = await scene.start();
  await database.pool.query(`revoke insert, update, delete on all tables in schema public from ${role.name}`);
  const [worker] = daemon.workers();
  if (worker !== undefined) process.kill(worker.pid, "SIGKILL");
  await said(daemon, /its claims cannot be released/);
  for (const pid of daemon.pids()) process.kill(pid, "SIGTERM");
  assert.equal((await daemon.program.exit).signal, null);
  assert.doesNotMatch(daemon.program.output.join("\n"), /defect of blockmill/);
});

test("a second signal ends a daemon whatever it waits for", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  const client = new pg.Client({ connectionString: scene.databaseUrl, application_name: "blockmill-test" });
  await client.connect();
  // Its last words to the database wait for this.
  await client.query("begin; lock table processing_workers");
  daemon.program.child.kill("SIGTERM");
  await said(daemon, /draining/);
  daemon.program.child.kill("SIGINT");
  const { code } = await daemon.program.exit;
  await client.end();
  assert([0, 69].includes(code ?? -1), `exit code ${code}`);
});
