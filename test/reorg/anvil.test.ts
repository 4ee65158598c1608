// A real node's own reorg: anvil_reorg replaces its newest blocks by others with the transactions given.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startAnvil } from "../support/anvil.js";
import { startDaemon } from "../support/daemon.js";
import { createDatabase } from "../support/database.js";
import { waitFor } from "../support/process.js";
import { assertRows, createDigestOf, type RawBlock, watchLinks } from "./expected-rows.js";

const accounts = [
  "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
  "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
] as const;

test("anvil_reorg of depths 1, 3 and 20, with transactions that move, is followed", async (t) => {
  const anvil = await startAnvil();
  const database = await createDatabase();
  const request = async (method: string, ...params: unknown[]): Promise<unknown> => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const headers = { "content-type": "application/json" };
    const answer = (await (await fetch(anvil.url, { method: "POST", headers, body })).json()) as {
      result?: unknown;
      error?: unknown;
    };
    assert.equal(answer.error, undefined, `${method}: ${JSON.stringify(answer.error)}`);
    return answer.result;
  };
  const pay = (value: number) =>
    request("eth_sendTransaction", { from: accounts[0], to: accounts[1], value: `0x${value.toString(16)}` });
  for (let i = 1; i <= 25; i += 1) await pay(i);
  // On a busy machine anvil puts several transactions into one block.
  const height = Number(await request("eth_blockNumber"));
  if (height < 25) await request("anvil_mine", `0x${(25 - height).toString(16)}`);
  const daemon = await startDaemon({
    databaseUrl: database.url,
    rpcUrls: [anvil.url],
    config: { pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 0 } },
  });
  const watch = watchLinks(database.pool);
  t.after(async () => {
    await daemon.destroy();
    await watch.stop().finally(async () => {
      await anvil.stop();
      await database.drop();
    });
  });
  const digestOf = createDigestOf({ chainId: 31_337 });

  const chain = async (): Promise<RawBlock[]> => {
    const head = Number(await request("eth_blockNumber"));
    const blocks: RawBlock[] = [];
    for (let number = 0; number <= head; number += 1) {
      const tag = `0x${number.toString(16)}`;
      const block = (await request("eth_getBlockByNumber", tag, true)) as RawBlock["block"];
      blocks.push({ block, receipts: (await request("eth_getBlockReceipts", tag)) as RawBlock["receipts"] });
    }
    return blocks;
  };
  const settled = async (): Promise<void> => {
    const blocks = await waitFor(
      async () => {
        // Each time anew: a transaction that was sent may be mined a moment later.
        const now = await chain();
        const { rows } = await database.pool.query<{ hashes: string }>(
          "select string_agg('0x' || encode(hash, 'hex'), ',' order by number) as hashes from blocks",
        );
        return rows[0]?.hashes === now.map(({ block }) => String(block.hash)).join() && now;
      },
      { what: "anvil's chain to be stored", everyMs: 50 },
    );
    await assertRows(database.pool, new Map(blocks.map((raw, number) => [number, digestOf(raw)])));
  };

  await settled();
  await request("anvil_reorg", 1, []);
  await settled();
  const moved = { from: accounts[1], to: accounts[0], value: "0x7" };
  await request("anvil_reorg", 3, [
    [moved, 0],
    [{ ...moved, value: "0x8" }, 2],
  ]);
  await pay(99);
  await settled();
  await request("anvil_reorg", 20, [[moved, 19]]);
  await pay(100);
  await settled();
  const { rows } = await database.pool.query("select depth from reorgs order by id");
  assert(rows.length >= 3, JSON.stringify(rows));
});
