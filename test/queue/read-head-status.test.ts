import assert from "node:assert/strict";
import { test } from "node:test";
import { readHeadStatus } from "../../src/queue/read-head-status.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

test("before anybody followed the chain there is no head", async () => {
  assert.equal(await readHeadStatus(queue.pool), null);
});

test("the head's own age and the time since it was told are two things", async () => {
  await queue.rows(
    `insert into processing_head (chain_id, head_number, head_hash, head_time, seen_at)
     values (5, 77, sha256(''), now() - interval '2 hours', now() - interval '1 hour')`,
  );
  const head = await readHeadStatus(queue.pool);
  assert.equal(head?.chainId, 5);
  assert.equal(head.headNumber, 77);
  assert(head.headAgeSeconds >= 7_200 && head.headAgeSeconds < 9_000, String(head.headAgeSeconds));
  assert(head.seenAgeSeconds >= 3_600 && head.seenAgeSeconds < 5_400, String(head.seenAgeSeconds));
});
