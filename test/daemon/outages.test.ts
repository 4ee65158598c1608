import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { applySchema } from "../../src/db/schema.js";
import { startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { assertCleanStop, numbers, said, setScene, until } from "./scene.js";

test("while the node is down workers wait and burn no attempt, and they go on by themselves", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  await scene.node.setFaults({ down: "refused" });
  await scene.insert(1, 30);
  const ids = daemon.workers().map(({ workerId }) => workerId);
  const seen = new Set<string>();
  await until(async () => {
    const states = await scene.states();
    for (const id of ids) if (states[id] === "waiting") seen.add(id);
    return seen.size === ids.length;
  }, "both workers to be waiting");
  // Long enough for several tries.
  await sleep(3_000);
  for (const job of await scene.jobs()) {
    assert(job.attempts <= 1 && ["pending", "processing"].includes(job.status), JSON.stringify(job));
  }
  const { rows } = await scene.pool.query("select from processing_failures");
  assert.equal(rows.length, 0);

  await scene.node.clearFaults();
  const jobs = await scene.settled();
  assert(jobs.every(({ attempts, deaths }) => attempts === 1 && deaths === 0));
  await scene.assertWrittenOnce(numbers(1, 30));
  await assertCleanStop(daemon, scene.pool);
});

test("PostgreSQL crashes and comes back under load: the daemon goes on by itself, no block is lost or doubled, nobody is blamed", async (t) => {
  const server = await startEmbeddedPostgres();
  t.after(() => server.destroy());
  const pool = new pg.Pool({ connectionString: server.url, max: 2, application_name: "blockmill-test" });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  t.after(() => pool.end());
  await applySchema(pool, "public");
  const scene = await setScene(t, { database: { url: server.url, pool } });
  const daemon = await scene.start();
  await scene.node.setFaults({ latencyMs: 40 });
  await scene.insert(1, 400);
  for (const done of [30, 150]) {
    const completed = async () =>
      (await scene.jobs()).filter(({ status }) => status === "completed").length >= done;
    await until(completed, `${done} blocks`);
    const seen = daemon.program.output.length;
    await server.stop("immediate");
    await said(daemon, /waiting: nothing is claimed/, seen);
    await server.start();
  }
  const jobs = await scene.settled();
  assert.equal(jobs.length, 400);
  assert(
    jobs.every(({ deaths }) => deaths === 0),
    "claims of living workers were taken from them",
  );
  await scene.assertWrittenOnce(numbers(1, 400));
  const { rows } = await pool.query("select from processing_failures");
  assert.equal(rows.length, 0);
  await assertCleanStop(daemon, pool);
});

test("the leases and connections of a living daemon may be cut at any time: it goes on", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  await scene.node.setFaults({ latencyMs: 20 });
  await scene.insert(1, 200);
  for (let round = 0; round < 6; round += 1) {
    await scene.pool.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'blockmill %' and datname = current_database()",
    );
    await sleep(200);
  }
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 200));
  await scene.insert(201, 210);
  await scene.settled();
  await assertCleanStop(daemon, scene.pool);
});

test("a block that is not there yet waits without losing an attempt, says so, and the others complete", async (t) => {
  const scene = await setScene(t, { node: { head: 50 } });
  const daemon = await scene.start({ pipeline: { max_attempts: 3 } });
  await scene.insert(1, 10);
  await scene.insert(9_999);
  const absences = async () => {
    const { rows } = await scene.pool.query<{ absences: number; status: string; attempts: number }>(
      "select absences, status, attempts from processing_jobs where block_number = 9999",
    );
    return rows[0];
  };
  // More often than there are attempts.
  await until(async () => ((await absences())?.absences ?? 0) >= 5, "five looks for the block");
  await until(async () => (await absences())?.status === "scheduled", "the job to wait");
  const missing = (await scene.jobs()).at(-1);
  assert.equal(missing?.attempts, 0);
  assert.match(missing.last_error ?? "", /does not have block 9999 yet \(head 50\); waiting for the head/);
  await until(
    async () => (await scene.jobs()).filter(({ status }) => status === "completed").length === 10,
    "the others",
  );
  await scene.assertWrittenOnce(numbers(1, 10));
  const { rows } = await scene.pool.query("select from processing_failures");
  assert.equal(rows.length, 0);
  await assertCleanStop(daemon, scene.pool);
});

test("a block whose rows PostgreSQL refuses fails alone, not the batch that it is in", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { workers: 1 } });
  await scene.insert(301, 400);
  await scene.settled();
  await scene.pool.query("alter table blocks add constraint unlucky check (number <> 7)");
  await scene.insert(1, 12);
  const jobs = await scene.settled({ statuses: ["completed", "failed"] });
  const failed = jobs.filter(({ status }) => status === "failed");
  assert.deepEqual(
    failed.map(({ block_number, attempts }) => ({ block_number, attempts })),
    [{ block_number: 7, attempts: 1 }],
  );
  assert.match(failed[0]?.last_error ?? "", /unlucky/);
  await scene.assertWrittenOnce([...numbers(1, 6), ...numbers(8, 12), ...numbers(301, 400)]);
  await assertCleanStop(daemon, scene.pool);
});
