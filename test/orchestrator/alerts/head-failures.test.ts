import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../../../src/logger.js";
import { createHeadFailuresAlert, firstAlike } from "../../../src/orchestrator/alerts/head-failures.js";
import { raiseAlert } from "../../../src/queue/alerts.js";
import { useQueue } from "../../queue/queue-database.js";

const queue = useQueue();
const head = (
  blockNumber: number,
  reason = `block ${blockNumber} of a:1 is not proven: hash: expected 0x${blockNumber}`,
) => ({
  blockNumber,
  reason,
});
const numbersOf = (...heads: ReturnType<typeof head>[]) =>
  firstAlike(heads).map(({ blockNumber }) => blockNumber);

test("three heads in a row that failed alike are told, whatever the numbers, hashes and endpoints", () => {
  assert.deepEqual(numbersOf(), []);
  assert.deepEqual(numbersOf(head(9), head(8)), []);
  assert.deepEqual(numbersOf(head(9), head(8), head(7)), [9, 8, 7]);
  assert.deepEqual(
    numbersOf(head(9), head(8, "block 8 of other.example is not proven: hash: expected 0xab"), head(7)),
    [9, 8, 7],
  );
  assert.deepEqual(numbersOf(head(9), head(8), head(7), head(6, "no space")), [9, 8, 7]);
});

test("heads that failed for different reasons, or with one between them, are each a matter of their own", () => {
  assert.deepEqual(numbersOf(head(9), head(8, "no space"), head(7), head(6)), []);
  assert.deepEqual(numbersOf(head(9), head(8), head(6)), []);
});

test("it is raised and logged once, and an earlier leader's is cleared where no head fails", async () => {
  const logged: unknown[] = [];
  const log = { error: (facts: unknown) => logged.push(facts) } as unknown as Logger;
  const alert = createHeadFailuresAlert({ pool: queue.pool, log });
  const open = () =>
    queue.rows("select message from alerts where kind = 'head_failures' and cleared_at is null");
  await raiseAlert(queue.pool, "head_failures", "of an earlier leader");
  await alert.run();
  assert.deepEqual(await open(), []);

  await queue.rows(
    `insert into processing_head (chain_id, head_number, head_hash, head_time) values (1, 103, sha256(''), now())`,
  );
  await queue.rows(
    `insert into processing_jobs (block_number, status, last_error, attempts)
     select n, 'failed', 'block ' || n || ' of node is not proven: hash: expected 0x1' || n, 3 from generate_series(101, 103) as n`,
  );
  await alert.run();
  await alert.run();
  assert.equal((await open()).length, 1);
  assert.equal(logged.length, 1);
  // A block above them is stored.
  await queue.rows("update processing_head set head_number = 104");
  await queue.rows(
    "insert into processing_jobs (block_number, status, completed_at) values (104, 'completed', now())",
  );
  await alert.run();
  assert.deepEqual(await open(), []);
});
