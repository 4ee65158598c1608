// Each scenario of `npm run chaos` alone, a few faults of it, on one daemon that lives through all of them; after
// each, what is stored is compared with the chain.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Random } from "../../bench/fixture-node/random.js";
import { Ledger } from "./ledger.js";
import { scenarios } from "./scenarios/index.js";
import { comeToRest, play } from "./suite.js";
import { type Watch, watchInvariants } from "./watch.js";
import { World } from "./world.js";

const seed = Number(process.env.BLOCKMILL_TEST_SEED ?? 1);
/** Of one scenario: its faults are injected until this is over. */
const playMs = 2_000;

let world: World;
let ledger: Ledger;
let watch: Watch;

before(async () => {
  world = await World.create({
    seed,
    history: 10_000,
    historyPerSecond: 40,
    leaseSeconds: 1.5,
    say: () => {},
  });
  ledger = new Ledger(world);
  watch = watchInvariants(world);
  await world.startMain();
});

after(async () => {
  await watch.stop();
  await world.close();
});

for (const scenario of scenarios) {
  test(`nothing is lost, doubled or wrong: ${scenario.about}`, { timeout: 300_000 }, async (t) => {
    const reason = scenario.unable?.(world);
    if (reason !== undefined) return t.skip(`${scenario.name}: ${reason}`);
    const { broken, recoveries } = world.tally;
    const faults = world.tally.faultCount;
    broken.length = 0;
    recoveries.length = 0;
    const random = new Random(`${scenario.name}-${seed}`);
    world.load.start();
    const until = performance.now() + playMs;
    do await play(world, scenario, random);
    while (performance.now() < until);
    await comeToRest(world, ledger);
    const { lost, doubled, wrong, moments } = await ledger.check(world.load.asked, { isFull: false });
    for (const { block, what, detail } of moments)
      t.diagnostic(`for a moment, block ${block} ${what} (${detail})`);
    assert.deepEqual({ lost, doubled, wrong, broken }, { lost: [], doubled: [], wrong: [], broken: [] });
    for (const { what, ms } of recoveries) t.diagnostic(`${what}: ${Math.round(ms)} ms`);
    t.diagnostic(`${world.tally.faultCount - faults} faults`);
    return undefined;
  });
}

test("after all of it the daemon drains in order, and every row is the chain's", {
  timeout: 300_000,
}, async () => {
  world.tally.broken.length = 0;
  await world.host.stop();
  const { lost, doubled, wrong } = await ledger.check(world.load.asked, { isFull: true });
  assert.deepEqual(
    { lost, doubled, wrong, broken: world.tally.broken },
    { lost: [], doubled: [], wrong: [], broken: [] },
  );
  assert(watch.looks > 0);
});
