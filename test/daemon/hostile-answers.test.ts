import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCleanStop, numbers, setScene } from "./scene.js";

for (const [what, lie] of Object.entries({
  "40 MB of brackets": { kind: "deep-nesting", depth: 20_000_000 },
  "20 million empty objects": { kind: "many-values", values: 20_000_000 },
} as const)) {
  for (const method of ["eth_getBlockByNumber", "eth_getBlockReceipts"]) {
    test(`an endpoint that answers ${method} with ${what} kills no worker, and costs no block that another has`, async (t) => {
      const scene = await setScene(t, { node: { ports: 2 } });
      const daemon = await scene.start();
      await scene.node.mutate({ ...lie, method, block: 3, count: 0 }, 0);
      await scene.insert(1, 6);
      const jobs = await scene.settled();
      assert.deepEqual(
        jobs.map(({ attempts, deaths }) => [attempts, deaths]),
        jobs.map(() => [1, 0]),
      );
      await scene.assertWrittenOnce(numbers(1, 6));
      assert.doesNotMatch(daemon.program.output.join("\n"), /heap out of memory|died|SIGABRT/);
      await assertCleanStop(daemon, scene.pool);
    });
  }
}
