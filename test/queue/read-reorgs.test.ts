import assert from "node:assert/strict";
import { test } from "node:test";
import { readReorgs } from "../../src/queue/read-reorgs.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

test("the newest reorgs are told first, at most so many", async () => {
  await queue.rows("truncate reorgs");
  await queue.rows(`
    insert into reorgs (detected_at, fork_block, depth, old_head, new_head, new_hash, rows_removed, told_by, confirmed_by)
    select now() - n * interval '1 hour', 100 - n, n, 101, 102, sha256(''), '{}', 'a', 'b' from generate_series(1, 5) as n`);
  const reorgs = await readReorgs(queue.pool, 2);
  assert.deepEqual(
    reorgs.map(({ forkBlock, depth, oldHead, newHead, toldBy, confirmedBy }) => [
      forkBlock,
      depth,
      oldHead,
      newHead,
      toldBy,
      confirmedBy,
    ]),
    [
      [99, 1, 101, 102, "a", "b"],
      [98, 2, 101, 102, "a", "b"],
    ],
  );
  assert(reorgs.every(({ detectedAt }) => detectedAt instanceof Date));
});
