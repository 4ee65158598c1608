// The checker on a chain that has no block at some numbers: a real daemon's absences are in order, and made ones are not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../bench/fixture-node/random.js";
import { Ledger } from "./ledger.js";
import { scenarios } from "./scenarios/index.js";
import { comeToRest, play } from "./suite.js";
import { watchInvariants } from "./watch.js";
import { World } from "./world.js";

test("numbers without a block are absent through reorgs and a death, and nothing else is", {
  timeout: 600_000,
}, async (t) => {
  const world = await World.create({
    seed: 3,
    history: 60,
    historyPerSecond: 1_000,
    leaseSeconds: 1.5,
    nullRounds: true,
    say: () => {},
  });
  t.after(() => world.close());
  const ledger = new Ledger(world);
  const watch = watchInvariants(world);
  t.after(() => watch.stop());
  const verdict = async () => {
    const { lost, doubled, wrong } = await ledger.check(world.load.asked, { isFull: true });
    return { lost, doubled, wrong };
  };
  const clean = { lost: [], doubled: [], wrong: [] };
  await world.startMain();
  for (const name of ["reorg-storm", "kill-worker"]) {
    const scenario = scenarios.find((each) => each.name === name) ?? assert.fail(name);
    world.load.start();
    await play(world, scenario, new Random(name));
    await comeToRest(world, ledger);
    assert.deepEqual({ ...(await verdict()), broken: world.tally.broken }, { ...clean, broken: [] });
  }
  while (world.load.asked.history < 60) {
    world.load.start();
    await comeToRest(world, ledger);
  }
  await world.host.stop();
  assert.deepEqual(await verdict(), clean);

  // As jobs, or folded into the coverage.
  const isAbsent = "result ->> 'absent' = 'true'";
  const { rows } = await world.pool.query<{ absent: boolean }>(
    `select bool_or(n = any (array[7, 8, 27, 28, 47, 48])) and not bool_or(n = 9) as absent from (
       select block_number as n from processing_jobs where ${isAbsent}
       union all
       select n from processing_coverage, unnest(absent) as span, generate_series(lower(span), upper(span) - 1) as n
     ) as absences`,
  );
  assert.equal(rows[0]?.absent, true);
  await world.pool.query(
    `update processing_coverage set blocks = blocks + '{[9,10), [7,8)}', absent = absent + '{[9,10)}' - '{[7,8)}'`,
  );
  await world.pool.query("delete from processing_jobs where block_number in (7, 9)");
  assert.deepEqual((await verdict()).wrong, [
    { block: 7, what: "is done as there, and is absent" },
    { block: 9, what: "is done as absent, and is there" },
  ]);
});
