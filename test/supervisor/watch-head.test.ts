import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { watchHead } from "../../src/supervisor/watch-head.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

async function seen(): Promise<ReturnType<ReturnType<typeof watchHead>["seen"]>> {
  const session = await queue.pool.connect();
  try {
    const watch = watchHead();
    await watch.look(session);
    return watch.seen();
  } finally {
    session.release();
  }
}

test("the head is the chain's, beside the newest block that is stored", async () => {
  assert.equal((await seen()).head, undefined, "before anybody followed the chain");
  await queue.rows(
    `insert into processing_head (chain_id, head_number, head_hash, head_time, seen_at)
     values (5, 77, sha256(''), now() - interval '85 seconds', now())`,
  );
  const { head } = await seen();
  assert(head !== undefined && head.ageMs >= 85_000, "it ages from its own time on");
  assert.deepEqual({ ...head, ageMs: 0 }, { chain: 77, stored: undefined, ageMs: 0 });
});

test("a pause and failed jobs are seen with it", async (t) => {
  await queue.insert([1, 2], "failed");
  await queue.insert([3], "cancelled");
  await queue.rows("update processing_control set paused_at = now(), reason = 'moving the disk'");
  t.after(() => queue.rows("update processing_control set paused_at = null, reason = null"));
  const { paused, failed } = await seen();
  assert.equal(paused, "moving the disk");
  assert.deepEqual(failed, { count: 2, atLeast: false });
});

test("a database that fails makes the head unknown, and nothing else", async () => {
  let looks = 0;
  const session = {
    query: () => {
      looks += 1;
      return Promise.reject(new Error("it is away"));
    },
  } as unknown as pg.Client;
  const watch = watchHead();
  await watch.look(session);
  assert.equal(watch.seen().head, undefined);
  await watch.look(session);
  assert.equal(looks, 1, "it is not looked at again at once");
});
