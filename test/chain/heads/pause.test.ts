import assert from "node:assert/strict";
import { test } from "node:test";
import { pause } from "../../../src/chain/heads/pause.js";

const forever = 2 ** 31 - 1;

test("a pause ends when it is woken", async () => {
  await pause(forever, new AbortController().signal, (wake) => wake());
});

test("a pause ends when its signal aborts, and none begins after that", async () => {
  const stop = new AbortController();
  const paused = pause(forever, stop.signal);
  stop.abort();
  await paused;
  await pause(forever, stop.signal, () => assert.fail("it began"));
});

test("a pause that is over listens to its signal no more", async () => {
  const listeners = new Set<unknown>();
  const signal = {
    aborted: false,
    addEventListener: (_: string, listener: unknown) => void listeners.add(listener),
    removeEventListener: (_: string, listener: unknown) => void listeners.delete(listener),
  } as unknown as AbortSignal;
  await pause(forever, signal, (wake) => {
    assert.equal(listeners.size, 1);
    wake();
  });
  assert.equal(listeners.size, 0);
});
