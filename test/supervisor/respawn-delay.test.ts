import assert from "node:assert/strict";
import { test } from "node:test";
import { countDeath, respawnDelay } from "../../src/supervisor/respawn-delay.js";

/** The waits after deaths in a row, of children that lived for `livedMs` each. */
function waits(livedMs: number, begun: boolean, deaths = 14): number[] {
  let inARow = 0;
  return Array.from({ length: deaths }, () => {
    inARow = countDeath(inARow, livedMs);
    return respawnDelay(inARow, { begun });
  });
}

test("a child that began to work is replaced within half a second, however often it dies", () => {
  assert.deepEqual(waits(700, true).slice(0, 6), [0, 100, 200, 400, 500, 500]);
  assert(waits(700, true, 1_000).every((ms) => ms <= 500));
});

test("children that cannot begin are tried at longer and longer intervals, up to half a minute", () => {
  assert.deepEqual(
    waits(700, false, 12),
    [0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000],
  );
});

test("a child that lived for a while is replaced at once", () => {
  assert.deepEqual(waits(10_000, false, 3), [0, 0, 0]);
});
