// What a repair asks the queue for, and takes from it. That blocks are right afterwards: test/stored/repair.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { dependents } from "../../src/pipeline/dependents.js";
import type { Finding } from "../../src/pipeline/prove-stored.js";
import { removeStrays, repairStored } from "../../src/pipeline/repair-stored.js";
import { numbers, useQueue } from "../queue/queue-database.js";

const queue = useQueue();
const door = () => ({ pool: queue.pool, dependents });

const finding = (kind: Finding["kind"], from: number, to = from): Finding => ({
  kind,
  from,
  to,
  table: "blocks",
  field: "hash",
  expected: "one",
  actual: "another",
});

test("a wrong block is enqueued once, however much is wrong with it, and stays covered until it is replaced", async () => {
  await queue.insert([7], "completed");
  await queue.rows("update processing_coverage set blocks = '{[7,8)}'");
  assert.equal(await repairStored(door(), [finding("wrong", 7), finding("wrong", 7)]), 1);
  assert.deepEqual(await queue.statuses(), { 7: "pending" });
  assert.deepEqual(await queue.rows("select blocks::text from processing_coverage"), [{ blocks: "{[7,8)}" }]);
});

test("missing blocks are uncovered and enqueued: as jobs, or as a range where they are many", async () => {
  await queue.rows("update processing_coverage set blocks = '{[1,30000)}'");
  assert.equal(
    await repairStored(door(), [finding("missing", 3, 5), finding("missing", 100, 20_000)]),
    19_904,
  );
  assert.deepEqual(Object.keys(await queue.statuses()).map(Number), numbers(3, 5));
  assert.deepEqual(
    await queue.rows('select from_block as "from", to_block as "to", force from processing_ranges'),
    [{ from: 100, to: 20_000, force: true }],
  );
  assert.deepEqual(await queue.rows("select blocks::text from processing_coverage"), [
    { blocks: "{[1,3),[6,100),[20001,30000)}" },
  ]);
});

test("rows without a block are removed, and count for no block", async () => {
  await queue.rows(
    "insert into withdrawals values (7, 0, 0, '\\x', 0), (8, 0, 0, '\\x', 0), (9, 0, 0, '\\x', 0)",
  );
  assert.equal(await repairStored(door(), [finding("orphan", 7, 8)]), 0);
  assert.deepEqual(await queue.rows("select block_number from withdrawals"), [{ block_number: 9 }]);
  assert.deepEqual(await queue.statuses(), {});
});

test("rows whose number no block can have are removed", async () => {
  await queue.rows("insert into withdrawals values (-1, 0, 0, '\\x', 0), (9, 0, 0, '\\x', 0)");
  assert.equal(await removeStrays(door()), 1);
  assert.deepEqual(await queue.rows("select block_number from withdrawals"), [{ block_number: 9 }]);
});

test("where nothing was found nothing is done", async () => {
  assert.equal(await repairStored(door(), []), 0);
});
