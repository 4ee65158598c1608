import assert from "node:assert/strict";
import { test } from "node:test";
import { Latency } from "../../../src/chain/endpoint/latency.js";

test("the average begins with the first duration, and follows by a fifth", () => {
  const latency = new Latency();
  assert.equal(latency.averageMs, undefined);
  latency.add(100);
  assert.equal(latency.averageMs, 100);
  latency.add(200);
  assert.equal(latency.averageMs, 120);
});

test("the percentile is told from eight durations on, whatever order they came in", () => {
  const latency = new Latency();
  for (const ms of [7, 6, 5, 4, 3, 2, 1]) latency.add(ms);
  assert.equal(latency.p95Ms(), undefined);
  latency.add(0);
  assert.equal(latency.p95Ms(), 7);
});

test("the percentile forgets all but the last 64, and numbers are compared as numbers", () => {
  const latency = new Latency();
  for (let i = 0; i < 64; i += 1) latency.add(10_000);
  for (let i = 0; i < 64; i += 1) latency.add(i);
  assert.equal(latency.p95Ms(), 60);
});
