// A short run of each fuzz target; `npm run fuzz` goes on for as long as is wanted.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { extentOf } from "../model/seed.js";
import { fuzz } from "./fuzz.js";
import { targets } from "./targets.js";

for (const target of targets) {
  test(`${target.name}: hostile input is refused in the promised way, and nothing else happens`, (t) => {
    const { seed, scripts } = extentOf({ scripts: 1_500 });
    const { inputs, failure } = fuzz(target, { seed, most: scripts, forMs: 20_000 });
    t.diagnostic(`BLOCKMILL_TEST_SEED=${seed}, ${inputs} inputs`);
    assert.equal(failure, undefined, failure);
    assert(inputs > 20);
  });
}

test("a promise that is broken is reported, with the smallest input", () => {
  const inputs = fc.nat(1_000);
  const check = (input: unknown) => assert(Number(input) < 10);
  const { failure } = fuzz({ name: "made up", inputs, check }, { seed: 1, most: 1_000, forMs: 10_000 });
  assert.match(failure ?? "", /Counterexample: \[10\]/);
});
