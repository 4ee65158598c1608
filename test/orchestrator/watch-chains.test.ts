import assert from "node:assert/strict";
import { test } from "node:test";
import type { EndpointStatus } from "../../src/chain/endpoints.js";
import { createChainWatch } from "../../src/orchestrator/watch-chains.js";
import { raiseAlert, readOpenAlerts } from "../../src/queue/alerts.js";
import { configOf, silent, useWorld } from "./scene.js";

const world = useWorld();

test("an endpoint that serves another chain is an alert for as long as it does", async () => {
  let servesOther: number | null = null;
  const status = () =>
    [{ name: "node", servesOther, capabilities: { chainId: 1 } }] as unknown as EndpointStatus[];
  const { run } = createChainWatch({
    pool: world.pool,
    config: configOf(),
    endpoints: { status },
    log: silent,
  });
  // Of an earlier leader.
  await raiseAlert(world.pool, "other_chain", "it did");
  await run();
  assert.deepEqual(await readOpenAlerts(world.pool), []);
  servesOther = 5;
  await run();
  await run();
  const [alert, ...others] = await readOpenAlerts(world.pool);
  assert.match(alert?.message ?? "", /^node serves chain 5 now, and served chain 1 before\./);
  assert.deepEqual(others, []);
  servesOther = null;
  await run();
  assert.deepEqual(await readOpenAlerts(world.pool), []);
});
