import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { withLinkedSignal } from "../src/linked-signal.js";

const sources = () => [new AbortController(), new AbortController()] as const;
const listeners = (...controllers: AbortController[]) =>
  controllers.map(({ signal }) => getEventListeners(signal, "abort").length);

test("a linked signal aborts with the first of its sources, for its reason", async () => {
  const [a, b] = sources();
  await withLinkedSignal([a.signal, b.signal], async (signal) => {
    assert(!signal.aborted);
    b.abort("enough");
    assert.equal(signal.reason, "enough");
    a.abort("too late");
    assert.equal(signal.reason, "enough");
  });
});

test("a source that has aborted already aborts it before the work begins", async () => {
  const [a, b] = sources();
  a.abort("before");
  assert.equal(await withLinkedSignal([a.signal, b.signal], async ({ reason }) => reason), "before");
});

test("nothing is left at the sources when the work is over, however it ends", async () => {
  const [a, b] = sources();
  await withLinkedSignal([a.signal, b.signal], async () => assert.deepEqual(listeners(a, b), [1, 1]));
  const fails = withLinkedSignal([a.signal, b.signal], async () => {
    throw new Error("failed");
  });
  await assert.rejects(fails, /failed/);
  assert.deepEqual(listeners(a, b), [0, 0]);
});
