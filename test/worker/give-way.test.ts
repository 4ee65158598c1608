import assert from "node:assert/strict";
import { test } from "node:test";
import { giveWayMs } from "../../src/worker/worker.js";

test("the first worker of a host looks at once, the others later, the more often they came in vain, within bounds", () => {
  const delays = (rank: number) => [0, 1, 2, 3, 4, 1_000].map((vainLooks) => giveWayMs(rank, vainLooks));
  assert.deepEqual(delays(0), [0, 0, 0, 0, 0, 0]);
  assert.deepEqual(delays(1), [2, 4, 8, 16, 16, 16]);
  assert.deepEqual(delays(4), [8, 16, 32, 64, 64, 64]);
  assert.deepEqual(delays(50), delays(4));
});
