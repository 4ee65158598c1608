import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "../../src/db/exchange.js";
import { inTransaction } from "../../src/db/pool.js";
import { lockCommits, shareCommits } from "../../src/queue/lock-commits.js";
import { waitFor } from "../support/process.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

const waits = () =>
  waitFor(
    async () =>
      (
        await queue.rows(
          "select from pg_locks where relation = 'processing_control'::regclass and not granted",
        )
      ).length > 0,
    { what: "a commit to wait" },
  );

test("commits that share wait for none of theirs", async () => {
  await inTransaction(queue.pool, async (tx) => {
    await send(tx, shareCommits());
    await inTransaction(queue.pool, (other) => send(other, shareCommits()));
  });
});

for (const [name, first, second] of [
  ["a commit that goes alone waits for those under way", "shared", "alone"],
  ["others wait for a commit that goes alone", "alone", "shared"],
  ["of two that go alone the second waits", "alone", "alone"],
] as const) {
  test(name, async () => {
    const order: string[] = [];
    let behind: Promise<unknown> = Promise.resolve();
    await inTransaction(queue.pool, async (tx) => {
      await (first === "alone" ? lockCommits(tx) : send(tx, shareCommits()));
      behind = inTransaction(queue.pool, async (other) => {
        await (second === "alone" ? lockCommits(other) : send(other, shareCommits()));
        order.push("second");
      });
      behind.catch(() => {});
      await waits();
      order.push("first");
    });
    await behind;
    assert.deepEqual(order, ["first", "second"]);
  });
}

test("a pause is read meanwhile, as claims read it", async () => {
  await inTransaction(queue.pool, async (tx) => {
    await lockCommits(tx);
    assert.deepEqual(await queue.rows("select paused_at from processing_control"), [{ paused_at: null }]);
  });
});
