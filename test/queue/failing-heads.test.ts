import assert from "node:assert/strict";
import { test } from "node:test";
import { type FailingHead, failingHeadsSql } from "../../src/queue/failing-heads.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();
const failing = async () =>
  (await queue.rows<FailingHead>(failingHeadsSql)).map(({ block }) => Number(block));
const job = (block: number, status: string, error: string | null, absences = 0) =>
  queue.rows(
    `insert into processing_jobs (block_number, status, last_error, absences, completed_at, run_at)
     values ($1, $2, $3, $4, case when $2 = 'completed' then now() end, now() + case when $2 = 'scheduled' then interval '1 hour' else '0' end)`,
    [block, status, error, absences],
  );

test("heads that failed are those up to the head, above the newest stored block, that were tried", async () => {
  assert.deepEqual(await failing(), []);
  await queue.rows(
    "insert into processing_head (chain_id, head_number, head_hash, head_time) values (1, 1000, sha256(''), now())",
  );
  for (const [block, status, error, absences] of [
    [850, "failed", "too far below"],
    [991, "failed", "below what is stored"],
    [992, "completed", null],
    [993, "failed", "x"],
    [994, "scheduled", "x"],
    [995, "cancelled", "x"],
    [996, "pending", null],
    [997, "scheduled", "node does not have block 997; waiting", 3],
    [998, "scheduled", "block 998 of node is not proven: receiptsRoot; waiting", 3],
    [1001, "failed", "above the head"],
  ] as const)
    await job(block, status, error, absences);
  assert.deepEqual(await failing(), [998, 994, 993]);
  await queue.rows("update processing_coverage set blocks = '{[1,10),[990,995)}'");
  assert.deepEqual(await failing(), [998]);
});
