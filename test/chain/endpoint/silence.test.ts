import assert from "node:assert/strict";
import { test } from "node:test";
import { Silence } from "../../../src/chain/endpoint/silence.js";

function scene() {
  let now = 0;
  const silence = new Silence(() => now);
  return {
    silence,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test("an endpoint is silent from its first request without an answer on, and timeouts do not end that", () => {
  const { silence, pass } = scene();
  assert.equal(silence.ms, undefined);
  silence.asked();
  pass(100);
  silence.asked();
  pass(900);
  assert.equal(silence.ms, 1_000);
  // The first one times out.
  silence.done();
  assert.equal(silence.ms, 1_000);
  silence.done();
  silence.asked();
  pass(1_000);
  assert.equal(silence.ms, 2_000);
});

test("whatever comes back ends it; what is still out counts from then on", () => {
  const { silence, pass } = scene();
  silence.asked();
  silence.asked();
  pass(500);
  silence.answered();
  silence.done();
  assert.equal(silence.ms, 0);
  pass(300);
  assert.equal(silence.ms, 300);
  silence.answered();
  silence.done();
  assert.equal(silence.ms, undefined);
});

test("one that nobody asks any more is not silent for ever", () => {
  const { silence, pass } = scene();
  silence.asked();
  silence.done();
  pass(14_000);
  assert.equal(silence.ms, 14_000);
  pass(2_000);
  assert.equal(silence.ms, undefined);
});
