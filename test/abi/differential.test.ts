import assert from "node:assert/strict";
import { test } from "node:test";
import { extentOf } from "../model/seed.js";
import { compareWithViem, type Outcome } from "./differential.js";
import { sixtyEvents } from "./random-logs.js";

test("random logs of sixty events are the row that viem makes of them, or both refuse", (t) => {
  assert(sixtyEvents.length >= 60, String(sixtyEvents.length));
  const { seed, scripts } = extentOf({ scripts: 10_000 });
  const outcomes: Record<Outcome, number> = {
    identical: 0,
    "both refuse": 0,
    stricter: 0,
    "viem's limit": 0,
  };
  for (let i = 0; i < scripts; i += 1) outcomes[compareWithViem((seed + i) % 2 ** 32)] += 1;
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed}: ${JSON.stringify(outcomes)}`);
  if (scripts < 1_000) return;
  assert(outcomes.identical > scripts / 4);
  assert(outcomes["both refuse"] > scripts / 100);
  assert(outcomes.stricter > scripts / 100);
});
