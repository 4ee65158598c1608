import assert from "node:assert/strict";
import { test } from "node:test";
import { Health } from "../../../src/chain/endpoints/health.js";

/** The rests are as long as they may be, so that a test never outlives one. */
const proven = () => Object.assign(new Health({ random: () => 1 }), { proven: true });
const about = (actual: number, wanted: number) =>
  assert(actual > wanted * 0.75 && actual <= wanted, `${actual} is not about ${wanted}`);

test("an endpoint rests after three failures in a row, and must be probed after it", () => {
  const health = proven();
  health.failed("a");
  health.failed("b");
  assert.equal(health.isResting, false);
  health.failed("c");
  assert.equal(health.isResting, true);
  assert.equal(health.proven, false);
  assert.equal(health.reason, "c");
});

test("a success between failures begins the count anew", () => {
  const health = proven();
  for (let i = 0; i < 4; i += 1) {
    health.failed("a");
    health.failed("b");
    health.succeeded();
  }
  assert.equal(health.isResting, false);
});

test("one that was not proven yet rests at the first failure", () => {
  const health = new Health();
  health.failed("a");
  assert.equal(health.isResting, true);
});

test("requests that fail together make one rest", () => {
  const health = new Health({ random: () => 1 });
  health.failed("a");
  const { restsForMs } = health;
  for (let i = 0; i < 20; i += 1) health.failed("b");
  assert(health.restsForMs <= restsForMs);
  assert.equal(health.reason, "a");
});

test("what the endpoint asks for is what it gets, and what it says later cannot shorten that", () => {
  const health = proven();
  health.slowDown("429", 60_000);
  about(health.restsForMs, 60_000);
  health.slowDown("429", 10);
  about(health.restsForMs, 60_000);
  assert.equal(health.proven, true);
});

test("an endpoint that asks for no pause at all gets one that grows, until it serves again", () => {
  const health = proven();
  const pauses = [0, 0, 0, 1, 0].map((forMs) => {
    health.slowDown("429", forMs);
    const { restsForMs } = health;
    // As when the rest is over.
    health.forgive();
    return restsForMs;
  });
  for (const [i, pause] of pauses.entries()) about(pause, 250 * 2 ** i);
  health.succeeded();
  health.slowDown("429", 0);
  about(health.restsForMs, 250);
});

test("requests that are refused together make the pause no longer", () => {
  const health = proven();
  for (let i = 0; i < 50; i += 1) health.slowDown("429", 0);
  about(health.restsForMs, 250);
});

test("data that was proven wrong puts an endpoint aside, twice as long each time, ten minutes at most", () => {
  const health = proven();
  for (const ms of [10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000]) {
    health.putAside("it lied");
    about(health.restsForMs, ms);
  }
  assert.equal(health.proven, false);
});

test("what was not its fault is taken back", () => {
  const health = proven();
  health.putAside("it lied");
  health.forgive();
  assert.equal(health.isResting, false);
  assert.equal(health.proven, true);
  health.putAside("it lied");
  about(health.restsForMs, 10_000);
});

test("after twenty successes the reason is forgotten", () => {
  const health = proven();
  health.slowDown("429", 0);
  for (let i = 0; i < 19; i += 1) health.succeeded();
  assert.equal(health.reason, "429");
  health.succeeded();
  assert.equal(health.reason, null);
});
