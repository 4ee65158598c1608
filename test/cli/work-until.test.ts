// A supervisor in the foreground: what it works on, and what ends it.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openSession } from "../../src/cli/session.js";
import { workUntil } from "../../src/cli/work-until.js";
import { ConfigError } from "../../src/errors.js";
import { useQueue } from "../queue/queue-database.js";
import { startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";

const queue = useQueue();
const node = await startFixture({ head: 20, transactions: 1 });
after(() => node.stop());

const session = () =>
  openSession(
    { set: [`database.url=${queue.url}`, `rpc.urls=${node.url}`], logLevel: "fatal" },
    process.stderr,
  );

test("only the blocks that it is for are worked on, the head is not followed, and nothing of it is left", async () => {
  await queue.insert([1, 2, 3, 4]);
  const result = await workUntil(session(), { only: { from: 2, to: 3 }, workers: 1 }, async () => {
    await waitFor(
      async () => (await queue.job(3)).status === "completed" && (await queue.job(2)).status === "completed",
      {
        what: "blocks 2 and 3",
      },
    );
    return "watched";
  });
  assert.equal(result, "watched");
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "completed", 3: "completed", 4: "pending" });
  assert.deepEqual(await queue.rows("select worker_id from processing_workers"), []);
});

test("what the watch throws is thrown when the workers have drained", async () => {
  const failure = new Error("the watch failed");
  await assert.rejects(
    workUntil(session(), { only: { from: 2, to: 3 }, workers: 1 }, () => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual(await queue.rows("select worker_id from processing_workers"), []);
});

test("whoever asks the program to end aborts the watch", async () => {
  const watched = workUntil(session(), { only: { from: 2, to: 3 }, workers: 1 }, async (signal) => {
    process.kill(process.pid, "SIGINT");
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return "aborted";
  });
  assert.equal(await watched, "aborted");
});

test("what ends the supervisor is thrown, rather than what that did to the watch", async () => {
  await queue.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (5, 0, 0, sha256(''), now())`,
  );
  const watched = workUntil(session(), { only: { from: 2, to: 3 }, workers: 1 }, async (signal) => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    throw new Error("of the watch");
  });
  await assert.rejects(watched, (error) => error instanceof ConfigError && /chain 5/.test(error.message));
});
