import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import { watchHead } from "../../src/supervisor/watch-head.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

async function headOf(): Promise<ReturnType<typeof watchHead>["head"]> {
  const session = await queue.pool.connect();
  try {
    const watch = watchHead();
    await watch.look(session);
    return watch.head;
  } finally {
    session.release();
  }
}

test("the head is the chain's, beside the newest block that is stored", async () => {
  assert.equal(await headOf(), undefined, "before anybody followed the chain");
  await queue.rows(
    `insert into processing_head (chain_id, head_number, head_hash, head_time, seen_at)
     values (5, 77, sha256(''), now(), now())`,
  );
  assert.deepEqual(await headOf(), { chain: 77, stored: undefined });
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
  assert.equal(watch.head, undefined);
  await watch.look(session);
  assert.equal(looks, 1, "it is not looked at again at once");
});
