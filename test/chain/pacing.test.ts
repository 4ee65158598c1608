import assert from "node:assert/strict";
import { test } from "node:test";
import { createEndpoint } from "../../src/chain/endpoint/endpoint.js";
import { Throttle } from "../../src/chain/endpoint/throttle.js";
import { choose } from "../../src/chain/endpoints/choose.js";
import { Member } from "../../src/chain/endpoints/member.js";
import { BlockRhythm, pollDelayMs } from "../../src/chain/heads/block-rhythm.js";
import { SeenHeads } from "../../src/chain/heads/seen-heads.js";

test("the limit halves once for refusals that come together, and grows by one for a round of successes", async () => {
  const throttle = new Throttle({ maxInFlight: 16 });
  await Promise.all(Array.from({ length: 16 }, () => throttle.acquire(1)));
  for (let i = 0; i < 8; i += 1) throttle.done("timed-out", 1);
  assert.equal(throttle.limit, 8);
  for (let i = 0; i < 8; i += 1) throttle.done("served", 1);
  assert.equal(throttle.limit, 8);
  for (let i = 0; i < 2; i += 1) {
    await throttle.acquire(1);
    throttle.done("served", 1);
  }
  assert.equal(throttle.limit, 9);
});

test("who waits goes in order, and one that gives up makes no hole", async () => {
  const throttle = new Throttle({ maxInFlight: 1 });
  await throttle.acquire(1);
  const order: string[] = [];
  const abort = new AbortController();
  const first = throttle.acquire(1).then(() => order.push("first"));
  const given = throttle.acquire(1, abort.signal).catch(() => order.push("given up"));
  const last = throttle.acquire(1).then(() => order.push("last"));
  abort.abort();
  await given;
  throttle.done("served", 1);
  await first;
  throttle.done("served", 1);
  await last;
  assert.deepEqual(order, ["given up", "first", "last"]);
  assert.equal(throttle.waiting, 0);
});

test("work is spread by weight, and who comes back from a rest does not catch up", () => {
  const [heavy, light] = [3, 1].map((weight) => memberOf(weight));
  assert.ok(heavy !== undefined && light !== undefined);
  const members = [heavy, light];
  const served = (rounds: number) => {
    const chosen = Array.from({ length: rounds }, () => choose(members, { asked: new Set() }));
    return chosen.filter((each) => each === heavy).length;
  };
  assert.equal(served(40), 30);
  heavy.health.slowDown("resting", 60_000);
  assert.equal(served(40), 0);
  heavy.health.forgive();
  const back = served(40);
  assert.ok(back <= 34, `${back} of 40 went to the one that came back`);
  for (const { endpoint } of members) endpoint.close();
});

function memberOf(weight: number): Member {
  const options = { url: "http://127.0.0.1:1", name: `weight ${weight}`, weight };
  const endpoint = createEndpoint({ ...options, timeoutMs: 1_000, maxResponseBytes: 1_000 });
  return new Member(endpoint, 100, () => null);
}

test("when it closes, nobody waits any longer", async () => {
  const throttle = new Throttle({ maxInFlight: 1, requestsPerSecond: 0.1 });
  await throttle.acquire(1);
  const waiting = assert.rejects(throttle.acquire(1), /closed/);
  throttle.close(new Error("closed"));
  await waiting;
});

test("polls wait for the block, hurry when it is due, and slow down when it does not come", () => {
  const at = (sinceLastMs: number) => pollDelayMs({ intervalMs: 12_000, sinceLastMs, mostMs: 30_000 });
  assert.equal(at(0), 10_500);
  assert.equal(at(10_500), 750);
  assert.equal(at(17_000), 750);
  assert.equal(at(20_000), 5_000);
  assert.equal(at(1_000_000), 30_000);
  assert.equal(pollDelayMs({ intervalMs: 250, sinceLastMs: 240, mostMs: 30_000 }), 50);
  assert.equal(pollDelayMs({ intervalMs: undefined, sinceLastMs: 0, mostMs: 30_000 }), 100);
});

test("the rhythm is the median time of a block, whatever was missed", () => {
  const rhythm = new BlockRhythm();
  for (const [number, at] of [
    [1, 0],
    [2, 1_000],
    [4, 3_000],
    [3, 3_100],
    [5, 9_000],
    [6, 10_000],
  ] as const) {
    rhythm.saw(number, at);
  }
  assert.equal(rhythm.intervalMs, 1_000);
  assert.equal(rhythm.lastAt, 10_000);
});

test("a head far above tells nothing of the rhythm, and hides none of the true heads after it", () => {
  const rhythm = new BlockRhythm();
  for (const [number, at] of [
    [1, 0],
    [2, 1_000],
    [3, 2_000],
    [1_000_000_003, 2_500],
    [4, 3_000],
    [5, 4_000],
    [1_000_000_004, 4_500],
    [6, 5_000],
  ] as const) {
    rhythm.saw(number, at);
  }
  assert.equal(rhythm.intervalMs, 1_000);
  assert.equal(rhythm.lastAt, 5_000);
});

test("a head is news once, and once more when the chain comes back to it", () => {
  const seen = new SeenHeads();
  const told = (channel: string, ...hashes: string[]) =>
    hashes.map((hash) => seen.isNews(channel, `0x${hash}`));
  assert.deepEqual(told("x", "a", "a", "b", "a"), [true, false, true, true]);
  assert.deepEqual(told("y", "a", "b", "a"), [false, false, false]);
  assert.deepEqual(told("y", "b", "a"), [true, true]);
});
