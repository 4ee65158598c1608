import assert from "node:assert/strict";
import { test } from "node:test";
import { doubtsSql } from "../../src/queue/doubts.js";
import { readLatestFailures } from "../../src/queue/read-failures.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

const fail = (block: number, kind: string, endpoint: string | null = null) =>
  queue.rows<{ id: number }>(
    `insert into processing_failures (job_id, block_number, attempt, class, message, endpoint, failed_at)
     values (1, $1, 2, $2, 'what', $3, now() - interval '1 hour') returning id`,
    [block, kind, endpoint],
  );

test("the latest failures come first, as many as are asked for", async () => {
  for (const block of [1, 2, 3]) await fail(block, "retry", block === 3 ? "node" : null);
  const failures = await readLatestFailures(queue.pool, 2);
  assert.deepEqual(
    failures.map(({ ageSeconds, ...rest }) => rest),
    [
      { blockNumber: 3, attempt: 2, class: "retry", message: "what", endpoint: "node" },
      { blockNumber: 2, attempt: 2, class: "retry", message: "what", endpoint: null },
    ],
  );
  assert(failures.every(({ ageSeconds }) => ageSeconds >= 3_600));
});

test("doubts are the failures to link that came after the last one that was looked into", async () => {
  const [first] = await fail(1, "unlinked");
  await fail(2, "retry");
  const [third] = await fail(3, "unlinked");
  const doubts = (after: number) => queue.rows(`${doubtsSql} and $1::bigint is null`, [null, after]);
  assert.deepEqual(await doubts(0), [
    { kind: "doubt", number: 1, hash: null, id: first?.id },
    { kind: "doubt", number: 3, hash: null, id: third?.id },
  ]);
  assert.deepEqual(await doubts(first?.id ?? 0), [{ kind: "doubt", number: 3, hash: null, id: third?.id }]);
});
