// Outages, however they are spelt, and blocks that are not there yet: nothing is failed, and no attempt is lost.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { BatchRefusal, NotYet, Refusal } from "../../bench/fixture-node/protocol.js";
import { assertCleanStop, numbers, type Scene, setScene, until } from "./scene.js";

async function assertNothingLost({ pool }: Scene): Promise<void> {
  const failures = await pool.query("select block_number, class, message from processing_failures");
  assert.deepEqual(failures.rows, []);
}

const outages: Record<string, Refusal> = {
  "-32603 Internal error": { code: -32603, message: "Internal error" },
  "-32603 Internal error with HTTP 500": { status: 500, code: -32603, message: "Internal error" },
  "-32001 Unable to complete request": { code: -32001, message: "Unable to complete request at this time." },
  "-32012 credits limited": { code: -32012, message: "credits limited to 6000/sec" },
  "-32000 with nothing that tells": { code: -32000, message: "oops" },
  "header not found": { code: -32000, message: "header not found" },
  "a maintenance page with status 200": { body: "<html><body><h1>Maintenance</h1></body></html>" },
  "an empty body": { body: "" },
  "half of an answer": { body: '{"jsonrpc":"2.0","id":1,"resu' },
  "HTTP 403 and a plan that is used up": {
    status: 403,
    code: -32600,
    message: "Monthly capacity limit exceeded. Visit the dashboard to upgrade your scaling policy.",
  },
  "HTTP 530": { status: 530, body: "error code: 1033" },
};

for (const [name, refusal] of Object.entries(outages)) {
  test(`while every call answers ${name}, no attempt is lost, and it goes on by itself`, async (t) => {
    const scene = await setScene(t);
    const daemon = await scene.start();
    await scene.node.setFaults({ refusal });
    await scene.insert(1, 30);
    const ids = daemon.workers().map(({ workerId }) => workerId);
    const waited = new Set<string>();
    await until(async () => {
      const states = await scene.states();
      for (const id of ids) if (states[id] === "waiting") waited.add(id);
      return waited.size > 0;
    }, "a worker to be waiting");
    // Long enough for several tries.
    await sleep(2_000);
    for (const job of await scene.jobs()) assert(job.attempts <= 1, JSON.stringify(job));
    await scene.node.clearFaults();
    const jobs = await scene.settled();
    assert(jobs.every(({ attempts, deaths }) => attempts === 1 && deaths === 0));
    await assertNothingLost(scene);
    await scene.assertWrittenOnce(numbers(1, 30));
    await assertCleanStop(daemon, scene.pool);
  });
}

const late: Record<string, NotYet> = {
  "the block is null": { blocks: 1, block: "null" },
  "the receipts are null": { blocks: 1, receipts: "null" },
  "the receipts are an empty list": { blocks: 1, receipts: "empty" },
  "a receipt is missing": { blocks: 1, receipts: "few" },
  "the receipts prove nothing": { blocks: 1, receipts: "wrong" },
  "it cannot query unfinalized data": {
    blocks: 1,
    block: { code: -32000, message: "cannot query unfinalized data" },
    receipts: { code: -32000, message: "cannot query unfinalized data" },
  },
  "it knows no such block": { blocks: 1, block: { code: -39001, message: "Unknown block" } },
};

/** A daemon that follows the head. */
async function follow(t: TestContext, options: { head: number }) {
  const scene = await setScene(t, { node: options });
  const daemon = await scene.start({
    pipeline: { auto_enqueue: true, check_interval: 0.2, max_attempts: 1 },
  });
  const stored = async (number: number) => {
    const { rows } = await scene.pool.query("select from blocks where number = $1", [number]);
    return rows.length === 1;
  };
  return { scene, daemon, stored };
}

for (const [name, notYet] of Object.entries(late)) {
  test(`a head of which ${name} at first is stored as soon as it is there, with no attempt lost`, async (t) => {
    const { scene, daemon, stored } = await follow(t, { head: 100 });
    await until(() => stored(100), "the first head");
    await scene.node.setFaults({ notYet });
    const { number } = await scene.node.mine(1);
    const absences = async () => {
      const { rows } = await scene.pool.query<{ absences: number }>(
        "select absences from processing_jobs where block_number = $1",
        [number],
      );
      return rows[0]?.absences ?? 0;
    };
    await until(async () => (await absences()) >= 2, "the job to wait for its block");
    assert.equal(await stored(number), false);
    await scene.node.clearFaults();
    await until(() => stored(number), "the head");
    await assertNothingLost(scene);
    await assertCleanStop(daemon, scene.pool);
  });
}

test("jobs above the head wait for it, whoever made them, and run when it arrives; so do those that had failed for it", async (t) => {
  const { scene, daemon, stored } = await follow(t, { head: 100 });
  await until(() => stored(100), "the first head");
  await scene.insert(101, 104);
  await scene.pool.query(
    `insert into processing_jobs (block_number, status, attempts, last_error)
     values (105, 'failed', 3, 'node does not have block 105')`,
  );
  const waiting = async () => {
    const { rows } = await scene.pool.query<{ last_error: string }>(
      "select last_error from processing_jobs where block_number between 101 and 104 and status = 'scheduled' and absences > 1",
    );
    return rows.length === 4 && rows;
  };
  const rows = await until(waiting, "four jobs to wait for the head");
  for (const { last_error } of rows) assert.match(last_error, /\(head 100\); waiting for the head/);
  await scene.node.mine(5);
  for (const number of numbers(101, 105)) await until(() => stored(number), `block ${number}`);
  await assertNothingLost(scene);
  await assertCleanStop(daemon, scene.pool);
});

test("a block that one node refuses as if it were down waits alone, and the others go on", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  for (const kind of ["html-502", "maintenance"] as const)
    await scene.node.mutate({
      kind,
      method: "eth_getBlockByNumber",
      block: kind === "html-502" ? 7 : 8,
      count: 0,
    });
  await scene.insert(1, 40);
  const others = [...numbers(1, 6), ...numbers(9, 40)];
  await until(
    async () => (await scene.jobs()).filter(({ status }) => status === "completed").length === others.length,
    "the others",
  );
  await scene.assertWrittenOnce(others);
  await assertNothingLost(scene);
  await scene.node.clearFaults();
  await scene.settled();
  await assertCleanStop(daemon, scene.pool);
});

const refusals: BatchRefusal[] = ["object", "first-id", "each", "tail", "http-500", "http-413", "closed"];

for (const batchRefusal of refusals) {
  test(`where batches of more than 3 are refused (${batchRefusal}), blocks are stored all the same`, async (t) => {
    const scene = await setScene(t, { node: { transactions: 20 } });
    await scene.node.setFaults({ lacks: ["eth_getBlockReceipts"], batchLimit: 3, batchRefusal });
    const daemon = await scene.start({ pipeline: { max_attempts: 1 } });
    await scene.insert(1, 6);
    await scene.settled();
    await scene.assertWrittenOnce(numbers(1, 6));
    await assertNothingLost(scene);
    await assertCleanStop(daemon, scene.pool);
  });
}
