import assert from "node:assert/strict";
import { test } from "node:test";
import { createPaint } from "../../src/cli/terminal.js";
import { createDatabase } from "../support/database.js";
import { startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";
import { blockmill, startBlockmill } from "./blockmill.js";

const widest = (text: string) => Math.max(...text.split("\n").map((line) => line.length));

test("status of an empty schema says that nothing runs, and how to start", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const { code, stdout, stderr } = await blockmill(["status"], { BLOCKMILL_DATABASE_URL: database.url });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Nothing runs\. Start a daemon: blockmill start/);
  assert.match(stdout, /not seen yet/);
  assert.ok(!stdout.includes("\u001b"), "no colours without a terminal");
});

test("status shows the depth, what is stored, open ranges, failures and lost hosts, within 100 columns", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const { pool } = database;
  await pool.query("update processing_coverage set blocks = '{[0,1000000),[1000002,1000010)}'");
  await pool.query(`
    insert into processing_jobs (block_number, status, worker_id, started_at, completed_at, run_at) values
      (5, 'completed', 'w', now(), now(), now()), (1000000, 'completed', 'w', now(), now(), now()),
      (1000020, 'pending', null, null, null, now()), (1000021, 'pending', null, null, null, now() + interval '1 h'),
      (1000022, 'processing', 'w', now(), null, now()), (1000023, 'failed', 'w', now(), null, now()),
      (1000024, 'cancelled', 'w', now(), null, now())`);
  await pool.query(
    "insert into processing_ranges (from_block, to_block, next_block, priority) values (20000000, 40000000, 25000000, 3)",
  );
  await pool.query(`insert into processing_failures (job_id, block_number, attempt, class, message)
    select 1, 1000023, n, 'retry', repeat('a long message ', 40) from generate_series(1, 9) as n`);
  await pool.query(
    "insert into alerts (kind, message) values ('reorg_too_deep', 'what happened, ' || repeat('and so on ', 20) || 'and what to do')",
  );
  await pool.query(`insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
    values ('a-very-long-host-name.1234567.abcdef/w1', 'a-very-long-host-name.1234567.abcdef', 'worker',
      'a-very-long-host-name.example', 1234567, '0.1.0', 'working',
      '{"completed": 123456789, "failed": 1234, "memoryMb": 1234, "blocks": [21000000, 21000001]}')`);
  const env = { BLOCKMILL_DATABASE_URL: database.url };

  const json = JSON.parse((await blockmill(["status", "--json"], env)).stdout);
  for (const status of ["pending", "scheduled", "processing", "failed", "cancelled"]) {
    assert.deepEqual(json.jobs[status], { count: 1, atLeast: false }, status);
  }
  assert.deepEqual(json.jobs.completed, { count: 2, atLeast: false });
  assert.deepEqual(json.stored, { count: 1_000_009, atLeast: false }, "block 5 is counted once");
  assert.equal(json.blocksPerSecond, 2 / 60);
  assert.equal(json.failures.length, 5);
  assert.equal(json.workers[0].lives, false);

  const { stdout } = await blockmill(["status"], env);
  assert.match(stdout, /^Nothing runs: .*\n\nAlerts\n {2}reorg_too_deep, for .*: what happened/);
  assert.match(stdout, /and what to do\n/);
  assert.match(stdout, /1,000,009 blocks/);
  assert.match(stdout, /1 failed: blockmill retry --all/);
  assert.match(stdout, /20,000,000 +40,000,000 +24 % +15,000,001 +3/);
  assert.match(stdout, /1,000,023 +9 .* a long message/);
  assert.match(stdout, /Nothing runs \(1 lost process will be swept away\)\./);
  assert.ok(widest(stdout) <= 100, stdout);
});

test("status shows a running daemon: who leads, who works, the head and the lag", async (t) => {
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 1, head: 20, signatures: "random" }),
  ]);
  t.after(() => Promise.all([database.drop(), node.stop()]));
  const env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };
  const daemon = await startBlockmill(
    ["start", "-w", "2", "--set", "chain.start_block=16", "--set", "pipeline.check_interval=0.2"],
    env,
  );
  t.after(() => daemon.kill("SIGKILL"));
  await daemon.line(/leading/);

  const seen = await waitFor(
    async () => {
      const { stdout } = await blockmill(["status", "--json"], env);
      const status = JSON.parse(stdout);
      const isLed = status.leader !== null && status.workers.length === 4;
      // An endpoint's head is told with the next sign of life.
      return status.stored.count === 5 && isLed && status.endpoints[0]?.head === 20 && status;
    },
    { what: "five stored blocks, a leader and the endpoint's head in the status" },
  );
  assert.equal(seen.head.headNumber, 20);
  assert.equal(seen.newestBlock, 20);
  assert.equal(seen.lagBlocks, 0);
  const roles = seen.workers.map(({ role }: { role: string }) => role);
  assert.deepEqual(roles, ["supervisor", "orchestrator", "worker", "worker"]);
  for (const { lives } of seen.workers) assert.equal(lives, true);

  assert.equal(seen.endpoints.length, 1);
  assert.deepEqual([seen.endpoints[0].resting, seen.endpoints[0].refused], [0, 0]);
  await node.setFaults({ down: "refused" });
  const why = await waitFor(
    async () =>
      /Endpoints\n(.*\n)+ +127\.0\.0\.1\S* +resting(.*\n)+/.exec(
        (await blockmill(["status"], env)).stdout,
      )?.[0],
    { what: "the endpoint that is down in the status" },
  );
  assert.match(why, /ECONNREFUSED|refused|answer/);
  await node.clearFaults();

  const { stdout } = await blockmill(["status"], env);
  assert.match(stdout, /20, none behind/);
  assert.match(stdout, /orchestrator +\d+ +leading/);

  // Behind counts what is missing, not what was tried; what is above the head waits, and is none of it.
  await database.pool.query(
    `insert into processing_jobs (block_number, status, last_error) values (7, 'failed', 'it has a reason'), (9, 'cancelled', null)`,
  );
  await database.pool.query("insert into processing_jobs (block_number) select generate_series(21, 23)");
  const { waiting, lagBlocks } = await waitFor(
    async () => {
      const status = JSON.parse((await blockmill(["status", "--json"], env)).stdout);
      return status.waiting.jobs === 3 && status;
    },
    { what: "three jobs that wait for the head", timeoutMs: 30_000 },
  );
  assert.deepEqual([waiting, lagBlocks], [{ jobs: 3, isAtLeast: false, firstBlock: 21 }, 1]);
  const text = (await blockmill(["status"], env)).stdout;
  assert.match(text, /20, 1 behind/);
  assert.match(text, /waiting +3 blocks not there yet, from 21 on/);
  assert.ok(widest(stdout) <= 100, stdout);
  assert.equal((await daemon.kill()).code, 0);
});

test("the rate holds although completed jobs are archived before they are a minute old", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const inserted = performance.now();
  await database.pool.query(`insert into processing_jobs (block_number, status, completed_at)
    select n, 'completed', now() - n * interval '100 ms' from generate_series(1, 100) as n`);
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  const rate = async (kept: number) => {
    const args = ["status", "--json", "--set", `queue.completed_kept=${kept}`];
    return JSON.parse((await blockmill(args, env)).stdout).blocksPerSecond;
  };
  assert.equal(await rate(1_000), 100 / 60, "the last minute is there");
  const early = await rate(100);
  const seconds = 10 + (performance.now() - inserted) / 1_000;
  assert.ok(early >= 100 / seconds && early <= 10, `100 blocks in 10 to ${seconds} s, not ${early}/s`);
});

test("counts stop at a bound and say so", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  await database.pool.query("insert into processing_jobs (block_number) select generate_series(1, 10001)");
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  const { jobs } = JSON.parse((await blockmill(["status", "--json"], env)).stdout);
  assert.deepEqual(jobs.pending, { count: 10_000, atLeast: true });
  assert.match((await blockmill(["status"], env)).stdout, />= 10,000/);
});

test("colours are for terminals, unless NO_COLOR is set", (t) => {
  const before = process.env.NO_COLOR;
  t.after(() => {
    if (before === undefined) delete process.env.NO_COLOR;
    else process.env.NO_COLOR = before;
  });
  delete process.env.NO_COLOR;
  assert.equal(createPaint({ isTTY: true })("red", "x"), "\u001b[31mx\u001b[39m");
  assert.equal(createPaint({})("red", "x"), "x");
  process.env.NO_COLOR = "1";
  assert.equal(createPaint({ isTTY: true })("red", "x"), "x");
});
