import assert from "node:assert/strict";
import { test } from "node:test";
import { readBounds, readStrip } from "../../src/queue/read-strip.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

async function scene() {
  await queue.rows("delete from processing_head");
  await queue.rows("update processing_coverage set blocks = '{[0,50),[60,70)}'");
  await queue.insert(numbers(70, 79), "completed");
  await queue.insert(numbers(80, 84), "processing");
  await queue.insert(numbers(85, 94), "pending");
  await queue.insert([95, 96], "failed");
  await queue.insert([97], "cancelled");
  await queue.insert([98], "scheduled");
  await queue.rows(
    "insert into processing_ranges (from_block, to_block, next_block) values (20, 129, 99), (120, 139, 120)",
  );
}

const nothing = { stored: 0, processing: 0, queued: 0, scheduled: 0, failed: 0, cancelled: 0, ahead: 0 };

for (const [how, to] of [
  ["one by one", 139],
  ["by the indexes", 9_999],
] as const) {
  test(`what the blocks are is told part by part, read ${how}`, async () => {
    await scene();
    const { parts, size } = await readStrip(queue.pool, { from: 0, to, parts: (to + 1) / 10 });
    assert.equal(size, to === 139 ? 10 : Math.ceil((to + 1) / 600));
    const found = to === 139 ? parts : null;
    if (found === null) {
      const all = parts.reduce<typeof nothing>(
        (sum, part) =>
          Object.fromEntries(
            Object.entries(sum).map(([name, count]) => [
              name,
              count + (part?.[name as keyof typeof nothing] ?? 0),
            ]),
          ) as typeof nothing,
        nothing,
      );
      assert.deepEqual(all, {
        stored: 70,
        processing: 5,
        queued: 10,
        scheduled: 1,
        failed: 2,
        cancelled: 1,
        ahead: 41,
      });
      return;
    }
    assert.deepEqual(found.slice(0, 5), new Array(5).fill({ ...nothing, stored: 10 }));
    assert.deepEqual(found[5], null);
    assert.deepEqual(found.slice(6, 8), new Array(2).fill({ ...nothing, stored: 10 }));
    assert.deepEqual(found[8], { ...nothing, processing: 5, queued: 5 });
    assert.deepEqual(found[9], { ...nothing, queued: 5, failed: 2, cancelled: 1, scheduled: 1, ahead: 1 });
    assert.deepEqual(found.slice(10), new Array(4).fill({ ...nothing, ahead: 10 }));
  });
}

test("each block alone is a part of its own, and the last part may be shorter", async () => {
  await scene();
  const single = await readStrip(queue.pool, { from: 94, to: 96, parts: 300 });
  assert.equal(single.size, 1);
  assert.deepEqual(single.parts, [
    { ...nothing, queued: 1 },
    { ...nothing, failed: 1 },
    { ...nothing, failed: 1 },
  ]);
  const uneven = await readStrip(queue.pool, { from: 40, to: 62, parts: 2 });
  assert.deepEqual([uneven.size, uneven.parts.map((part) => part?.stored)], [12, [10, 3]]);
});

test("the strip reaches from the lowest block that anything is known of to the highest, and to the head", async () => {
  await queue.rows("update processing_coverage set blocks = '{}'; delete from processing_head");
  assert.equal(await readBounds(queue.pool), null);
  await scene();
  assert.deepEqual(await readBounds(queue.pool), { from: 0, to: 139 });
  await queue.rows(
    "insert into processing_head (chain_id, head_number, head_hash, head_time) values (1, 500, sha256(''), now())",
  );
  assert.deepEqual(await readBounds(queue.pool), { from: 0, to: 500 });
});
