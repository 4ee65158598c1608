import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { connectionsOf, spawnStart } from "../support/daemon.js";
import { assertCleanStop, numbers, setScene, until } from "./scene.js";

for (const [poolSize, maxOverflow] of [
  [10, 0],
  [3, 7],
  [12, 4],
] as const) {
  test(`a daemon with pool_size ${poolSize} and max_overflow ${maxOverflow} never opens more connections than their sum`, async (t) => {
    const scene = await setScene(t, { node: { head: 120 } });
    const sampling = new AbortController();
    let most = 0;
    let samples = 0;
    const sampler = (async () => {
      while (!sampling.signal.aborted) {
        most = Math.max(most, (await connectionsOf(scene.pool)).length);
        samples += 1;
      }
    })();
    try {
      const daemon = await scene.start({
        database: { pool_size: poolSize, max_overflow: maxOverflow },
        pipeline: { auto_enqueue: true, check_interval: 0.1 },
        chain: { start_block: 1 },
      });
      await until(async () => (await scene.jobs()).length === 120, "the jobs");
      await scene.settled();
      await scene.assertWrittenOnce(numbers(1, 120));
      await assertCleanStop(daemon, scene.pool);
    } finally {
      sampling.abort();
      await sampler;
    }
    t.diagnostic(`at most ${most} connections in ${samples} samples`);
    assert(most <= poolSize + maxOverflow, `${most} connections`);
    assert(most >= 7, `${most} connections: the lease, the leadership, three listeners, and work`);
  });
}

test("too few connections for everybody end the daemon with exit code 78, and it names the key", async (t) => {
  const scene = await setScene(t);
  const { program, remove } = await spawnStart({
    databaseUrl: scene.databaseUrl,
    rpcUrls: scene.node.urls,
    config: { database: { pool_size: 4, max_overflow: 4 } },
  });
  assert.deepEqual(await program.exit, { code: 78, signal: null });
  if (!program.child.stderr?.closed) await once(program.child.stderr ?? program.child, "close");
  assert.match(program.output.join("\n"), /database\.pool_size.*at least 10.*got 4 \+ 4/);
  await remove();
});
