import assert from "node:assert/strict";
import { test } from "node:test";
import { readBlockLife } from "../../src/status/read-block-life.js";
import { createDatabase } from "../support/database.js";

test("a block's job is found in the queue, or else in the history, with its failures and without secrets", async (t) => {
  const { pool, drop } = await createDatabase();
  t.after(drop);
  const redact = (text: string) => text.replaceAll("secret", "[redacted]");
  await pool.query(`
    insert into processing_jobs (block_number, status, run_at, last_error) values (1, 'scheduled', 'infinity', 'a secret');
    insert into processing_history (completed_at, block_number, id, priority, created_at, attempts, result)
      values ('2026-01-02', 2, 7, 5, '2026-01-01', 3, '{"transactions": 4, "endpoint": "secret.example"}');
    insert into processing_failures (job_id, block_number, attempt, class, message)
      select 1, 1, attempt, 'retry', 'secret ' || attempt from generate_series(1, 60) as attempt`);
  const queued = await readBlockLife(pool, 1, redact);
  assert.equal(queued.job?.lastError, "a [redacted]");
  assert.equal(queued.job?.runAt, null);
  assert.deepEqual([queued.failures.length, queued.failures[0]?.message], [50, "[redacted] 60"]);
  const archived = await readBlockLife(pool, 2, redact);
  assert.deepEqual([archived.job?.status, archived.job?.attempts], ["completed", 3]);
  assert.deepEqual(archived.job?.result, { transactions: 4, endpoint: "[redacted].example" });
  assert.deepEqual(await readBlockLife(pool, 3, redact), {
    number: 3,
    job: null,
    stored: null,
    failures: [],
  });
});
