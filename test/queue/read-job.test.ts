import assert from "node:assert/strict";
import { test } from "node:test";
import { readJob } from "../../src/queue/read-job.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();
const nothing = { attempts: 0, absences: 0, lastError: null, result: null };

test("a job says its status, its attempts, its error and its result", async () => {
  await queue.insert([7], "completed");
  await queue.rows(
    `update processing_jobs set attempts = 2, last_error = 'once', result = '{"logs": 4, "odd": 1}'`,
  );
  assert.deepEqual(await readJob(queue.pool, 7), {
    status: "completed",
    attempts: 2,
    absences: 0,
    lastError: "once",
    result: { logs: 4 },
  });
});

test("a block without a job is archived where the coverage has it, and else its job is gone", async () => {
  await queue.rows("update processing_coverage set blocks = '{[7,8)}'");
  assert.deepEqual(await readJob(queue.pool, 7), { status: "archived", ...nothing });
  assert.deepEqual(await readJob(queue.pool, 8), { status: "gone", ...nothing });
});

test("a covered block that has a job again is what its job is", async () => {
  await queue.rows("update processing_coverage set blocks = '{[7,8)}'");
  await queue.insert([7]);
  assert.deepEqual(await readJob(queue.pool, 7), { status: "pending", ...nothing });
});
