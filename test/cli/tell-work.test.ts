import assert from "node:assert/strict";
import { test } from "node:test";
import { tellWork } from "../../src/cli/tell-work.js";
import type { Logger } from "../../src/logger.js";
import type { Supervisor } from "../../src/supervisor/supervisor.js";

test("what was stored is told soon, then now and then, and at the end; never nothing", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let completed = 0;
  let now = 0;
  const told: unknown[] = [];
  const supervisor = { snapshot: () => ({ completed }) } as unknown as Supervisor;
  const log = { info: (fields: unknown) => told.push(fields) } as unknown as Logger;
  const end = tellWork(supervisor, log, { now: () => now });
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i += 1) {
      now += 1_000;
      t.mock.timers.tick(1_000);
    }
  };
  pass(20);
  assert.deepEqual(told, []);
  completed = 5;
  pass(1);
  assert.deepEqual(told, [{ blocks: 5, since_start: 5 }]);
  completed = 50;
  pass(8);
  assert.equal(told.length, 1);
  pass(2);
  assert.deepEqual(told[1], { blocks: 45, since_start: 50 });
  completed = 51;
  end();
  assert.deepEqual(told[2], { blocks: 1, since_start: 51 });
  pass(30);
  assert.equal(told.length, 3);
});
