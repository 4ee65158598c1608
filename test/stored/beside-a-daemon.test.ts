import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { setScene, until } from "../daemon/scene.js";
import { linesOf, verify } from "./verify-command.js";

test("nothing is found while a daemon commits, reorgs and fetches again", async (t) => {
  const scene = await setScene(t, { node: { head: 40, transactions: 3 } });
  await scene.start({ pipeline: { auto_enqueue: true, check_interval: 0.1 }, chain: { start_block: 1 } });
  await until(
    async () => (await scene.pool.query("select from blocks")).rows.length > 20,
    "blocks to be stored",
  );
  const ending = new AbortController();
  const restless = (async () => {
    for (let round = 0; !ending.signal.aborted; round += 1) {
      if (round % 4 === 3) await scene.node.reorg({ depth: 3, length: 5 });
      else await scene.node.mine(3);
      await scene.pool.query(
        `update processing_jobs set status = 'pending', run_at = now(), attempts = 0, completed_at = null
         where status = 'completed' and block_number % 7 = $1`,
        [round % 7],
      );
      await sleep(100);
    }
  })();
  try {
    for (let round = 0; round < 3; round += 1) {
      const { code, stdout } = await verify(scene.databaseUrl, "--json");
      assert.equal(code, 0, stdout);
      const { summary } = linesOf(stdout).at(-1) ?? {};
      t.diagnostic(`${summary?.proven} blocks proven`);
    }
  } finally {
    ending.abort();
    await restless;
  }
  const reorgs = await scene.pool.query("select from reorgs");
  t.diagnostic(`${reorgs.rows.length} reorgs`);
  assert(reorgs.rows.length > 0);
});
