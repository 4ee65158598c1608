// Scripts of forks that one daemon lives through, one after the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import pg from "pg";
import { reorgsChannel } from "../../src/queue/reorgs.js";
import { assertCleanStop } from "../support/daemon.js";
import { waitFor } from "../support/process.js";
import { assertNeverWritten, reorgsUndone, setScene } from "./scene.js";

test("a daemon lives through every fork", async (t) => {
  const scene = await setScene(t, { node: { transactions: 3 } });
  const { node } = scene;
  const daemon = await scene.start();
  await scene.settled();

  for (const depth of [1, 2, 5, 30]) {
    await t.test(`of depth ${depth}`, async () => {
      const known = (await scene.reorgs()).length;
      const { number } = await node.head();
      await node.reorg({ depth, length: depth + 1 });
      await scene.settled();
      const reorgs = (await scene.reorgs()).slice(known);
      assert.deepEqual(
        reorgs.map((reorg) => [reorg.fork_block, reorg.depth, reorg.old_head, reorg.new_head]),
        [[number - depth, depth, number, number + 1]],
      );
    });
  }

  await t.test("from A to B and back to A", async () => {
    const a = (await node.head()).branch;
    const { branch: b } = await node.reorg({ depth: 4, length: 5 });
    await scene.settled();
    await node.switchTo(a);
    await node.mine(2);
    await scene.settled();
    await node.switchTo(b);
    await scene.settled();
    await node.switchTo(a);
    await scene.settled();
  });

  await t.test("to a shorter branch, which then grows past the old height", async () => {
    const { number } = await node.head();
    await node.reorg({ depth: 6, length: 2 });
    await scene.settled();
    const dropped = [number - 3, number - 2, number - 1, number];
    const wait = async () => {
      const waiting = await scene.rows<{ block_number: number }>(
        "select block_number::int from processing_jobs where status = 'scheduled' order by block_number",
      );
      return isDeepStrictEqual(
        waiting.map(({ block_number }) => block_number),
        dropped,
      );
    };
    // A worker may have one of them in hand, to find that the block is not there.
    await waitFor(wait, { what: `the jobs of ${dropped} to be scheduled, and no other` });
    await node.mine(1);
    await scene.settled();
    await node.mine(6);
    await scene.settled();
  });

  await t.test("that follows another before the first is stored", async () => {
    for (let i = 0; i < 5; i += 1) await node.reorg({ depth: 3, length: 3 + (i % 2) });
    await scene.settled();
  });

  await t.test("and tells readers of it, in the transaction that removes the rows", async () => {
    const listener = new pg.Client({ connectionString: scene.databaseUrl });
    await listener.connect();
    try {
      const told = new Promise<string>((resolve) => {
        listener.on("notification", ({ payload = "" }) => resolve(payload));
      });
      await listener.query(`listen "${reorgsChannel("public")}"`);
      const { number } = await node.head();
      await node.reorg({ depth: 2, length: 3 });
      const id = Number(await told);
      const reorg = (await scene.reorgs()).find((each) => each.id === id);
      assert.deepEqual([reorg?.fork_block, reorg?.depth], [number - 2, 2]);
      const [row] = await scene.rows<{ removed: Record<string, number>; old: boolean; fresh: boolean }>(
        `select rows_removed as removed, old_hash is not null as old, new_hash = $2 as fresh from reorgs where id = $1`,
        [id, bytes((await node.canonical(number - 1, number - 1))[0]?.hash)],
      );
      assert.deepEqual([row?.removed.blocks, row?.old, row?.fresh], [2, true, true]);
    } finally {
      await listener.end();
    }
    await scene.settled();
  });

  await t.test("with each transaction of both branches once, in its new block", async () => {
    const { number } = await node.head();
    const before = await transactionsOf(number - 4, number);
    await node.reorg({ depth: 5, length: 7 });
    const after = await transactionsOf(number - 4, number + 2);
    const both = [...after.keys()].filter((hash) => before.has(hash));
    assert(both.length > 0, "the fixture keeps some");
    assert(
      both.some((hash) => before.get(hash) !== after.get(hash)),
      "and moves some",
    );
    await scene.settled();
    const stored = await scene.rows<{ hash: string; block_number: number }>(
      "select '0x' || encode(hash, 'hex') as hash, block_number::int from transactions where hash = any ($1)",
      [both.map(bytes)],
    );
    assert.deepEqual(
      new Map(stored.map(({ hash, block_number }) => [hash, block_number])),
      new Map(stored.map(({ hash }) => [hash, after.get(hash)])),
    );
    assert.equal(stored.length, both.length);
  });

  await t.test("while archived blocks lie on the dropped branch", async () => {
    await scene.rows("update processing_jobs set completed_at = completed_at - interval '1 year'");
    await waitFor(async () => (await scene.rows("select from processing_jobs")).length === 0, {
      what: "everything to be archived",
    });
    const { number } = await node.head();
    await node.reorg({ depth: 8, length: 9 });
    await scene.settled();
    const [row] = await scene.rows("select blocks::text as blocks from processing_coverage");
    assert.deepEqual(row, { blocks: `{[0,${number - 7})}` });
  });

  await t.test("without writing what a frozen worker had fetched of the dropped branch", async () => {
    await scene.written();
    await node.resetCounters();
    await node.setFaults({ latencyMs: 400 });
    const { number } = await node.mine(2);
    await node.waitForCalls({ method: "eth_getBlockReceipts", count: 1 });
    const workers = daemon.workers();
    for (const { pid } of workers) process.kill(pid, "SIGSTOP");
    await node.clearFaults();
    const dropped = (await node.canonical(number - 1, number)).map(({ hash }) => hash);
    const known = (await scene.reorgs()).length;
    await node.reorg({ depth: 2, length: 3 });
    await reorgsUndone(scene, known + 1);
    for (const { pid } of workers) process.kill(pid, "SIGCONT");
    await scene.settled();
    await assertNeverWritten(scene, dropped);
  });

  await assertCleanStop(daemon, scene.pool);

  async function transactionsOf(from: number, to: number): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (let number = from; number <= to; number += 1) {
      const { receipts } = await node.expected(number);
      for (const { transactionHash } of receipts) found.set(String(transactionHash), number);
    }
    return found;
  }
});

function bytes(hash: string | undefined): Buffer {
  return Buffer.from((hash ?? "").slice(2), "hex");
}
