// Event tables with a real daemon.

import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, assertDecoded, fixtureEvents } from "../decode/event-scene.js";
import { said, setScene, until } from "./scene.js";

test("what was stored before a table was applied is filled while later blocks come with their rows and workers are killed", async (t) => {
  const scene = await setScene(t, { node: { head: 400, transactions: 6 } });
  const { erc20, ...others } = fixtureEvents;
  assert(erc20 !== undefined);
  const daemon = await scene.start({
    decode: fixtureEvents,
    pipeline: { workers: 2, check_interval: 0.2, auto_enqueue: false },
  });
  await said(daemon, /not applied as it is configured: erc20, erc721, pair, erc1155/, 0);
  await scene.insert(1, 80);
  await scene.settled();
  const asked = await receiptsAsked();
  await apply(scene.pool, { erc20 });
  await covered();
  assert.equal(await receiptsAsked(), asked, "a node was asked for what is stored");

  await scene.insert(81, 240);
  await scene.claimed();
  await apply(scene.pool, { erc20, ...others });
  const worker = daemon.workers()[0];
  assert(worker !== undefined);
  process.kill(worker.pid, "SIGKILL");
  await scene.settled();
  await covered();
  assert((await assertDecoded(scene.pool, { isWhole: true })) > 300);

  async function receiptsAsked(): Promise<number> {
    return (await scene.node.counters()).calls.eth_getBlockReceipts ?? 0;
  }

  async function covered(): Promise<void> {
    await until(async () => {
      const { rows } = await scene.pool.query(
        "select from decoders, blocks where not coverage @> number limit 1",
      );
      return rows.length === 0;
    }, "every stored block to be covered");
  }
});
