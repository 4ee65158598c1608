import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { type Fixture, startFixture } from "../support/fixture.js";
import { alive, descendants, waitFor } from "../support/process.js";
import { blockmill, type Environment, startBlockmill } from "./blockmill.js";

let database: TestDatabase;
let node: Fixture;
let env: Environment;

before(async () => {
  [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 3, head: 30, signatures: "random" }),
  ]);
  env = { BLOCKMILL_DATABASE_URL: database.url, BLOCKMILL_RPC_URLS: node.url };
});
after(() => Promise.all([database.drop(), node.stop()]));

test("single stores a block and prints what was stored", async () => {
  const { code, stdout, stderr } = await blockmill(["single", "5"], env);
  assert.equal(code, 0, stderr);
  const expected = await node.expected(5);
  assert.match(stdout, /^Block 5\n/);
  assert.match(stdout, new RegExp(`^ {2}hash +${expected.block.hash}$`, "m"));
  assert.match(stdout, /^ {2}transactions +3$/m);
  assert.equal(stderr, "");
});

test("single --json prints the stored block as JSON, also when it was stored before", async () => {
  const { code, stdout, stderr } = await blockmill(["single", "5", "--json"], env);
  assert.equal(code, 0, stderr);
  const printed = JSON.parse(stdout);
  const expected = await node.expected(5);
  assert.equal(printed.number, 5);
  assert.equal(printed.header.hash, expected.block.hash);
  assert.equal(printed.rows.transactions, 3);
  assert.equal(printed.job.attempts, 1);
});

test("a block that fails ends single with 1 and the error in one line", async () => {
  await node.mutate({ kind: "set", path: "gasLimit", value: "0x5", method: "*", block: 6, count: 0 });
  const fast = ["--set", "pipeline.backoff_seconds=0.01", "--log-level", "fatal"];
  const { code, stdout, stderr } = await blockmill(["single", "6", ...fast], env);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, /^blockmill: block 6 failed after 3 attempts: .+\n$/);
  await node.clearFaults();
});

test("single waits for a block that the node does not have yet, and says so", async () => {
  await node.mutate({ kind: "null-result", method: "*", block: 7, count: 0 });
  const single = await startBlockmill(["single", "7", "--json", "--log-level", "fatal"], env);
  await single.line(/^block 7: .* does not have block 7; waiting$/m);
  await node.clearFaults();
  const { code, stdout } = await single.ended;
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).number, 7);
});

test("a block beyond the head is refused with exit code 2, and no job is made", async () => {
  const { code, stderr } = await blockmill(["single", "31"], env);
  assert.equal(code, 2);
  assert.match(stderr, /^blockmill: N \(31\) is beyond the chain's newest block: expected at most 30 .*\n$/);
  const jobs = await database.pool.query("select from processing_jobs where block_number = 31");
  assert.equal(jobs.rowCount, 0);
});

test("a job that another worker holds is waited for, not taken", async () => {
  await database.pool.query(
    "update processing_jobs set status = 'processing', worker_id = 'elsewhere.1.a/w1', started_at = now() where block_number = 5",
  );
  const single = await startBlockmill(["single", "5", "--json"], env);
  let hasEnded = false;
  void single.ended.then(() => {
    hasEnded = true;
  });
  await waitFor(
    async () => {
      const { rowCount } = await database.pool.query(
        "select from processing_workers where role = 'worker' and state = 'idle'",
      );
      return rowCount === 1;
    },
    { what: "the worker of single to find nothing to do" },
  );
  assert.equal(hasEnded, false);
  const { rows } = await database.pool.query("select worker_id from processing_jobs where block_number = 5");
  assert.equal(rows[0].worker_id, "elsewhere.1.a/w1");

  await database.pool.query(
    "update processing_jobs set status = 'completed', completed_at = now() where block_number = 5",
  );
  const { code, stderr } = await single.ended;
  assert.equal(code, 0, stderr);
});

test("a daemon that runs beside single is left alone", async (t) => {
  const daemon = await startBlockmill(
    ["start", "-w", "2", "--set", "pipeline.auto_enqueue=false", "--set", "pipeline.check_interval=1"],
    env,
  );
  t.after(() => daemon.kill("SIGKILL"));
  await daemon.line(/holding the lease/);
  await daemon.line(/leading/);
  const children = descendants(daemon.pid);

  const { code, stderr } = await blockmill(["single", "9"], env);
  assert.equal(code, 0, stderr);
  assert.deepEqual(descendants(daemon.pid), children);
  assert.ok(alive(daemon.pid));
  const registered = await database.pool.query(
    "select from processing_workers where role = 'worker' and pid = any ($1)",
    [children],
  );
  assert.equal(registered.rowCount, 2);
  assert.equal((await daemon.kill()).code, 0);
});
