import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { loadConfig } from "../../src/config/load.js";
import { ConfigError } from "../../src/errors.js";
import { type Allotment, allotConnections, connectionsOf } from "../../src/supervisor/allot-connections.js";

function allot(settings: Record<string, unknown>): Allotment {
  const flags = Object.entries(settings).map(([path, value]) => ({ path, value, flag: path }));
  return allotConnections(loadConfig({ env: {}, flags }).config);
}

/** What all processes together may open, with as many workers as there may be. */
const sum = (allotment: Allotment, listen: string): number =>
  connectionsOf("supervisor", allotment) +
  connectionsOf("orchestrator", allotment) +
  (listen === "" ? 0 : connectionsOf("web", allotment)) +
  allotment.workers.max * connectionsOf("worker", allotment);

test("whatever is configured, all processes together never open more than pool_size and max_overflow", () => {
  const workers = fc.oneof(
    fc.integer({ min: 1, max: 40 }),
    fc.constant("auto"),
    fc
      .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 30 }))
      .map(([min, more]) => ({ min, max: min + more })),
  );
  const connections = fc.integer({ min: 0, max: 60 });
  const listens = fc.constantFrom("", "127.0.0.1:9464");
  let allotted = 0;
  fc.assert(
    fc.property(workers, connections, connections, listens, (wanted, poolSize, maxOverflow, listen) => {
      const total = poolSize + 1 + maxOverflow;
      const settings = {
        "pipeline.workers": wanted,
        "database.pool_size": poolSize + 1,
        "database.max_overflow": maxOverflow,
        "web.listen": listen,
      };
      let allotment: Allotment;
      try {
        allotment = allot(settings);
      } catch (error) {
        assert(error instanceof ConfigError);
        return;
      }
      allotted += 1;
      const most = sum(allotment, listen);
      assert(most <= total, `${most} of ${total}`);
      assert(allotment.worker.min <= allotment.worker.max && allotment.worker.max >= 1);
    }),
    { numRuns: 2_000 },
  );
  assert(allotted > 200);
});

test("with the defaults there is room to look for lost statements; where there is not, nobody looks", () => {
  assert.equal(allot({}).worker.looks, true);
  const scarce = allot({ "pipeline.workers": 2, "database.pool_size": 10, "database.max_overflow": 0 });
  assert.deepEqual(
    [scarce.worker.looks, scarce.orchestrator.looks, scarce.supervisor.looks],
    [false, false, false],
  );
});

test("a daemon with HTTP has a connection more to share", () => {
  const settings = { "pipeline.workers": 2, "database.pool_size": 10, "database.max_overflow": 0 };
  assert.equal(allot(settings).worker.max, 1);
  const served = { ...settings, "web.listen": "127.0.0.1:9464" };
  assert.throws(() => allot(served), /at least 11 for 2 workers/);
});
