import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { StartGate } from "../../src/supervisor/start-gate.js";

const never = new AbortController().signal;

test("children load in turn, at most so many at once, in the order in which they came", async () => {
  const gate = new StartGate(2);
  const order: number[] = [];
  let inside = 0;
  let most = 0;
  const enter = async (child: number): Promise<void> => {
    const leave = await gate.enter(never);
    order.push(child);
    inside += 1;
    most = Math.max(most, inside);
    await setImmediate();
    inside -= 1;
    leave?.();
    // What is said twice counts once.
    leave?.();
  };
  await Promise.all(Array.from({ length: 50 }, (_, child) => enter(child)));
  assert.deepEqual(
    order,
    Array.from({ length: 50 }, (_, child) => child),
  );
  assert.equal(most, 2);
});

test("who gives up takes nobody's turn", async () => {
  const gate = new StartGate(1);
  const first = await gate.enter(never);
  const gone = new AbortController();
  const second = gate.enter(gone.signal);
  const third = gate.enter(never);
  gone.abort();
  assert.equal(await second, undefined);
  first?.();
  assert.notEqual(await third, undefined);
  assert.equal(await gate.enter(gone.signal), undefined);
});

test("one whose turn came as it gave up passes it on", async () => {
  const gate = new StartGate(1);
  const first = await gate.enter(never);
  const gone = new AbortController();
  const second = gate.enter(gone.signal);
  const third = gate.enter(never);
  first?.();
  gone.abort();
  assert.equal(await second, undefined);
  assert.notEqual(await third, undefined);
});
