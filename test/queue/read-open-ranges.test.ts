import assert from "node:assert/strict";
import { test } from "node:test";
import { openRange } from "../../src/queue/ranges.js";
import { readOpenRanges } from "../../src/queue/read-open-ranges.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

test("open ranges come in the order of their turn; those that are enqueued or cancelled are left out", async () => {
  const ids: number[] = [];
  for (const priority of [0, 5, 0, 9, 9])
    ids.push(await openRange(queue.pool, { from: 1, to: 10, priority, force: priority === 5 }));
  await queue.rows("update processing_ranges set enqueued_at = now() where id = $1", [ids[3]]);
  await queue.rows("update processing_ranges set cancelled_at = now() where id = $1", [ids[4]]);
  await queue.rows("update processing_ranges set next_block = 4 where id = $1", [ids[1]]);
  const { total, ranges } = await readOpenRanges(queue.pool, 2);
  assert.deepEqual(total, { count: 3, atLeast: false });
  assert.deepEqual(ranges, [
    { id: ids[1], from: 1, to: 10, next: 4, priority: 5, force: true },
    { id: ids[0], from: 1, to: 10, next: 1, priority: 0, force: false },
  ]);
});

test("where no range is open there are none", async () => {
  assert.deepEqual(await readOpenRanges(queue.pool, 10), {
    total: { count: 0, atLeast: false },
    ranges: [],
  });
});
