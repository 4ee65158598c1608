import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Ending } from "../../src/supervisor/ending.js";
import { killAfterMs } from "../../src/supervisor/place.js";
import { silent } from "../orchestrator/scene.js";
import { waitFor } from "../support/process.js";
import { makeChild } from "./made-children.js";

function scene(t: TestContext) {
  // The wait for a drain is not on this clock; the wait for what was told to stop is.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const child = makeChild();
  const ending = new Ending(silent);
  return {
    ending,
    children: new Set([child]),
    heard: child.heard,
    pass: (ms: number) => t.mock.timers.tick(ms),
  };
}

const forever = 2 ** 31 - 1;

test("children that have drained for as long as they may give back, and are killed when they do not end", async (t) => {
  const { ending, children, heard, pass } = scene(t);
  ending.drain(children, 20);
  assert.deepEqual(heard, ["drain"]);
  assert.deepEqual([ending.draining.aborted, ending.stopping.aborted], [true, false]);
  await waitFor(() => ending.stopping.aborted, { what: "the drain's end" });
  assert.deepEqual(heard, ["drain", "stop"]);
  pass(killAfterMs - 1);
  assert.deepEqual(heard, ["drain", "stop"]);
  pass(1);
  assert.deepEqual(heard, ["drain", "stop", "SIGKILL"]);
});

test("whoever asks to stop waits for no drain, and nothing is said twice", (t) => {
  const { ending, children, heard, pass } = scene(t);
  ending.drain(children, forever);
  ending.drain(children, 0);
  ending.stop(children);
  ending.stop(children);
  pass(killAfterMs);
  assert.deepEqual(heard, ["drain", "stop", "SIGKILL"]);
});

test("when everything has ended, nobody is told to stop", async (t) => {
  const { ending, children, heard, pass } = scene(t);
  ending.drain(children, 0);
  ending.isOver();
  assert.equal(ending.stopping.aborted, true);
  await sleep(5);
  pass(killAfterMs);
  assert.deepEqual(heard, ["drain"]);
});
