import assert from "node:assert/strict";
import { test } from "node:test";
import { Counts, readSeries } from "../../src/metrics/counts.js";
import { metricNames, metricRow } from "../../src/metrics/list.js";

const path = "blockmill_web_request_seconds";
const { buckets = [] } = metricRow(path);

test("what is taken is forgotten, and adds up elsewhere as if it had been counted there", () => {
  const [one, other, sum] = [new Counts(), new Counts(), new Counts()];
  assert.equal(one.take(), undefined);
  for (const seconds of [0.0001, 0.003, 1_000]) one.observe(path, ["/"], seconds);
  other.observe(path, ["/"], 0.003);
  other.observe(path, ["/metrics"], 0.003);
  sum.merge(one.take());
  sum.merge(JSON.parse(JSON.stringify(other.take())));
  assert.equal(one.take(), undefined);
  const series = Object.fromEntries(
    (sum.all()[path] ?? []).map(([[label = ""], value]) => [label, value as number[]]),
  );
  const [total = 0, count, ...within] = series["/"] ?? [];
  assert(Math.abs(total - 1_000.0061) < 1e-9);
  assert.equal(count, 4);
  // A measure belongs to the first bucket whose bound it does not pass, and to the last when it passes all.
  assert.deepEqual(
    within.flatMap((each, i) => (each === 0 ? [] : [[buckets[i], each]])),
    [
      [0.001, 1],
      [0.005, 2],
      [undefined, 1],
    ],
  );
  assert.deepEqual(series["/metrics"]?.[1], 1);
});

test("what another version says, and this one does not know, is left out", () => {
  const value = new Array(buckets.length + 3).fill(1);
  const said = {
    blockmill_of_tomorrow_total: [[["a"], 1]],
    constructor: [[["a"], 1]],
    [path]: [
      [["/"], value],
      [["/"], [1, 2]],
      [["/"], 1],
      [["/"], value.map(() => "1")],
      [["/", "x"], value],
      [[1], value],
      null,
    ],
  };
  assert.deepEqual(readSeries(said), [[path, ["/"], value]]);
  for (const nothing of [null, undefined, 1, "a", [], { [path]: 1 }])
    assert.deepEqual(readSeries(nothing), []);
  const counts = new Counts();
  counts.merge(said);
  assert.deepEqual(counts.all(), { [path]: [[["/"], value]] });
});

test("however many values a label takes, a metric keeps a thousand series", () => {
  const counts = new Counts();
  for (let i = 0; i < 1_500; i += 1) counts.observe(path, [String(i)], 1);
  assert.equal(counts.all()[path]?.length, 1_000);
});

test("names and labels follow Prometheus' rules", () => {
  for (const name of metricNames) {
    const { type, labels, help, buckets } = metricRow(name);
    assert.match(name, /^blockmill_[a-z_]+[a-z]$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    assert.equal(buckets !== undefined, type === "histogram", name);
    for (const label of labels) {
      assert.match(label, /^[a-z_]+$/);
      assert(!/hash|block|number|^le$/.test(label), `${name}: a label for each block`);
    }
    assert.match(help, /^[^\n]{10,}\.$/, name);
    assert.doesNotMatch(name, /_(ms|milliseconds|mb|megabytes|minutes)(_|$)/, "a base unit");
  }
});
