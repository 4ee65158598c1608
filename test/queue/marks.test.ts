import assert from "node:assert/strict";
import { test } from "node:test";
import { noteMark, readMarks } from "../../src/queue/marks.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

test("deaths, reloads, reorgs and alerts are told in the order of their times, and no older ones", async () => {
  await queue.rows("truncate processing_marks, reorgs, alerts");
  await queue.rows(`
    insert into alerts (kind, message, raised_at) values ('stalled', 'a message', now() - interval '30 seconds'),
      ('old', 'a message', now() - interval '2 hours');
    insert into reorgs (detected_at, fork_block, depth, old_head, new_head, new_hash, rows_removed, told_by, confirmed_by)
      values (now() - interval '20 seconds', 7, 2, 9, 9, sha256(''), '{}', 'a', 'b')`);
  await noteMark(queue.pool, "death", "w1 died");
  await noteMark(queue.pool, "reload", "it did");
  const marks = await readMarks(queue.pool, 3_600);
  assert.deepEqual(
    marks.map(({ kind, says }) => [kind, says]),
    [
      ["alert", "stalled"],
      ["reorg", "a reorg of 2 blocks above 7"],
      ["death", "w1 died"],
      ["reload", "it did"],
    ],
  );
  assert(marks.every(({ at }) => Math.abs(at - Date.now() / 1_000) < 3_600));
});
