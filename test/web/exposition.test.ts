import assert from "node:assert/strict";
import { test } from "node:test";
import { Counts } from "../../src/metrics/counts.js";
import { metricNames } from "../../src/metrics/list.js";
import { exposition } from "../../src/web/exposition.js";

test("a histogram's buckets grow from bound to bound, and its count is the last", async () => {
  const counts = new Counts();
  for (const seconds of [0.0005, 0.004, 0.004, 100])
    counts.observe("blockmill_web_request_seconds", ["/"], seconds);
  const text = await exposition(counts.all());
  const lines = text.split("\n").filter((line) => line.startsWith("blockmill_web_request_seconds"));
  assert.deepEqual(lines.slice(0, 3), [
    'blockmill_web_request_seconds_bucket{path="/",le="0.001"} 1',
    'blockmill_web_request_seconds_bucket{path="/",le="0.0025"} 1',
    'blockmill_web_request_seconds_bucket{path="/",le="0.005"} 3',
  ]);
  assert.deepEqual(lines.slice(-3), [
    'blockmill_web_request_seconds_bucket{path="/",le="+Inf"} 4',
    'blockmill_web_request_seconds_sum{path="/"} 100.0085',
    'blockmill_web_request_seconds_count{path="/"} 4',
  ]);
});

test("each metric of the list is named, with its help and type, once", async () => {
  const text = await exposition({ blockmill_build_info: [[['a"b\\c\nd', "v24"], 1]] });
  for (const name of metricNames) {
    assert.equal(text.split(`# TYPE ${name} `).length, 2, name);
    assert.equal(text.split(`# HELP ${name} `).length, 2, name);
  }
  assert.match(text, /^blockmill_build_info\{version="a\\"b\\\\c\\nd",node="v24"\} 1$/m);
});
