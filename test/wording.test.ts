import assert from "node:assert/strict";
import { test } from "node:test";
import { an, byteSize, count, plural, rate, shorten, span, wholeSpan, wrap } from "../src/wording.js";

test("counts are written with commas, and nouns in their number", () => {
  assert.equal(count(1_234_567), "1,234,567");
  assert.deepEqual(
    [0, 1, 2, 1_000].map((n) => plural(n, "job")),
    ["0 jobs", "1 job", "2 jobs", "1,000 jobs"],
  );
});

test("a noun has the article that its sound wants", () => {
  assert.deepEqual(["worker", "orchestrator", "exporter"].map(an), [
    "a worker",
    "an orchestrator",
    "an exporter",
  ]);
});

test("a rate has three digits that tell something", () => {
  assert.deepEqual([0, 0.25, 8.123, 10, 99.96, 100, 1_240.4].map(rate), [
    "0.0",
    "0.25",
    "8.12",
    "10.0",
    "100.0",
    "100",
    "1,240",
  ]);
});

test("a span is written in at most two units", () => {
  assert.deepEqual([-1, 0.42, 9.94, 10, 59.4, 59.6, 125, 3_599, 11_400, 86_400, 352_800].map(span), [
    "0.0 s",
    "0.4 s",
    "9.9 s",
    "10 s",
    "59 s",
    "1 min 0 s",
    "2 min 5 s",
    "59 min 59 s",
    "3 h 10 min",
    "1 d 0 h",
    "4 d 2 h",
  ]);
});

test("a span in one whole unit does not change each time it is told", () => {
  assert.deepEqual([-1, 0.4, 119.4, 120, 7_199, 7_200, 172_799, 172_800, 1e8].map(wholeSpan), [
    "0 s",
    "0 s",
    "119 s",
    "2 min",
    "119 min",
    "2 h",
    "47 h",
    "2 days",
    "1,157 days",
  ]);
});

test("a long text is cut, and always one line", () => {
  assert.equal(shorten("  a\n b\tc ", 10), "a b c");
  assert.equal(shorten("abcdef", 6), "abcdef");
  assert.equal(shorten("abcdefg", 6), "abcde…");
});

test("words are wrapped at the width, and a longer one has a line of its own", () => {
  assert.deepEqual(wrap("to be or not to be", 5), ["to be", "or", "not", "to be"]);
  assert.deepEqual(wrap("a questionable b", 5), ["a", "questionable", "b"]);
  assert.deepEqual(wrap("", 5), [""]);
});

test("bytes are told in decimal units, with three digits", () => {
  assert.deepEqual([0, 950, 1_200, 150_000, 1.5e9, 2e16].map(byteSize), [
    "0 B",
    "950 B",
    "1.2 kB",
    "150 kB",
    "1.5 GB",
    "20.0 PB",
  ]);
});
