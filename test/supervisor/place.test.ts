// A place in the line-up, with made-up children.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ConfigError } from "../../src/errors.js";
import type { ChildExit } from "../../src/supervisor/child.js";
import { killAfterMs, Place } from "../../src/supervisor/place.js";
import { StartGate } from "../../src/supervisor/start-gate.js";
import { StartLimit } from "../../src/supervisor/start-limit.js";
import { configOf } from "../orchestrator/scene.js";
import { waitFor } from "../support/process.js";
import { type MadeChild, makeChild } from "./made-children.js";

function open(t: TestContext, { onTrial = false, gate = new StartGate(1) } = {}) {
  const forked: MadeChild[] = [];
  const exits: { exit: ChildExit; asked: boolean }[] = [];
  const fatal: string[] = [];
  const draining = new AbortController();
  const limit = new StartLimit();
  const place = new Place({
    role: "worker",
    generation: {
      config: configOf({ "pipeline.drain_seconds": 10 }),
      allotment: undefined as never,
      installation: undefined as never,
    },
    rank: 3,
    onTrial,
    gate,
    limit,
    draining: draining.signal,
    fork() {
      const child = makeChild();
      forked.push(child);
      return child;
    },
    onExit: async (_child, exit, asked) => void exits.push({ exit, asked }),
    onFatal: (message) => void fatal.push(message),
  });
  t.after(async () => {
    draining.abort();
    for (const child of forked) child.end();
    await place.ended;
  });
  /** Its nth child, from 1. */
  const child = (n: number): Promise<MadeChild> => waitFor(() => forked[n - 1], { what: `child ${n}` });
  return { place, child, forked, exits, fatal, draining, limit };
}

test("a child that died is succeeded by another, which is nobody's wish", async (t) => {
  const { place, child, exits } = open(t);
  const first = await child(1);
  first.beReady();
  await place.tried;
  assert.equal(place.child, first);
  first.end({ signal: "SIGKILL", code: null });
  const second = await child(2);
  assert.equal(place.child, second);
  assert.deepEqual(
    exits.map(({ asked, exit }) => [asked, exit.signal]),
    [[false, "SIGKILL"]],
  );
});

test("a place that is retired drains its child, and is filled no more", async (t) => {
  const { place, child, forked, exits } = open(t);
  const first = await child(1);
  first.beReady();
  await place.tried;
  const retired = place.retire();
  assert.equal(place.isRetiring, true);
  assert.deepEqual(first.heard, ["drain"]);
  first.end();
  await retired;
  assert.equal(forked.length, 1);
  assert.equal(exits[0]?.asked, true);
  assert.equal(place.child, undefined);
});

test("a child that does not drain in time is told to stop, then killed", async (t) => {
  const { place, child } = open(t);
  const first = await child(1);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const retired = place.retire();
  t.mock.timers.tick(9_999);
  assert.deepEqual(first.heard, ["drain"]);
  t.mock.timers.tick(1);
  assert.deepEqual(first.heard, ["drain", "stop"]);
  t.mock.timers.tick(killAfterMs);
  assert.deepEqual(first.heard, ["drain", "stop", "SIGKILL"]);
  first.end();
  await retired;
  t.mock.timers.reset();
});

test("a place on trial is given up when its first child ends before it is ready, with the child's reason", async (t) => {
  for (const [fatal, message] of [
    ["no schema", "no schema"],
    [undefined, "a new worker ended at once"],
  ] as const) {
    const { place, child, forked, fatal: told } = open(t, { onTrial: true });
    (await child(1)).end({ fatal, code: 1 });
    await assert.rejects(place.tried, new ConfigError(message));
    await place.ended;
    assert.equal(forked.length, 1);
    assert.deepEqual(told, [], "what it means is for whoever opened the place to say");
  }
});

test("a place on trial that was once ready is filled again like any other, and so is one that is not on trial", async (t) => {
  const tried = open(t, { onTrial: true });
  (await tried.child(1)).beReady();
  await tried.place.tried;
  (await tried.child(1)).end({ code: 1 });
  await tried.child(2);
  const plain = open(t);
  (await plain.child(1)).end({ code: 1, fatal: "no schema" });
  await plain.child(2);
  assert.deepEqual(plain.fatal, ["no schema"]);
});

test("a child on trial that is not ready within the limit fails the trial, and lets the next one load", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const gate = new StartGate(1);
  const { place, limit } = open(t, { onTrial: true, gate });
  await new Promise(setImmediate);
  let isFree = false;
  const next = gate.enter(new AbortController().signal).then((leave) => {
    isFree = true;
    leave?.();
  });
  t.mock.timers.tick(limit.ms - 1);
  await new Promise(setImmediate);
  assert.equal(isFree, false);
  t.mock.timers.tick(1);
  await assert.rejects(place.tried, new ConfigError("a new worker was not ready within 60 s"));
  await next;
  t.mock.timers.reset();
});

test("at the end no child is succeeded, and a place that was never tried says so", async (t) => {
  const { place, child, draining, forked } = open(t);
  const first = await child(1);
  draining.abort();
  first.end();
  await place.ended;
  assert.equal(forked.length, 1);

  const gate = new StartGate(1);
  const leave = await gate.enter(new AbortController().signal);
  const waiting = open(t, { gate });
  waiting.draining.abort();
  await assert.rejects(waiting.place.tried, new ConfigError("it is stopping"));
  assert.equal(waiting.forked.length, 0);
  leave?.();
});
