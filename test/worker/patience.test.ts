// No time passes: what ends a wait is what the test names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { Patience } from "../../src/worker/patience.js";

function scene() {
  const asked: number[] = [];
  const stopping = new AbortController();
  const patience = new Patience(stopping.signal, {
    random: () => 0.5,
    wait: (ms, signal) =>
      new Promise((_, reject) => {
        asked.push(ms);
        if (signal.aborted) reject(signal.reason);
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  });
  return { patience, stopping, asked };
}

test("a wait is random below a bound that doubles each time, up to a second", () => {
  const { patience, asked } = scene();
  for (const times of [0, 1, 4, 5, 1_000]) void patience.wait(times);
  assert.deepEqual(asked, [25, 50, 400, 500, 500]);
});

test("all that wait try at once when the database answers again, and wait again the next time", async () => {
  const { patience } = scene();
  const waits = [patience.wait(9), patience.wait(9)];
  patience.end();
  await Promise.all(waits);
  let isOver = false;
  const next = patience.wait(9).then(() => {
    isOver = true;
  });
  await setImmediate();
  assert.equal(isOver, false);
  patience.end();
  await next;
});

test("a worker that is to stop waits no longer", async () => {
  const { patience, stopping } = scene();
  const waiting = patience.wait(9);
  stopping.abort();
  await waiting;
  await patience.wait(9);
});
