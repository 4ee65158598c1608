import assert from "node:assert/strict";
import { test } from "node:test";
import { exceededBound } from "../../../src/chain/endpoint/bound-json.js";
import { MalformedAnswerError, parseAnswer } from "../../../src/chain/endpoint/match-answers.js";

test("64 levels are within the bound, 65 are not, of lists and objects alike", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.equal(exceededBound(nested(64)), null);
  assert.equal(exceededBound(nested(65)), "at most 64 levels");
  assert.equal(exceededBound('{"a":'.repeat(65)), "at most 64 levels");
  assert.equal(exceededBound("[[]".repeat(64)), "at most 64 levels");
});

test("20 million empty objects, or 40 MB of brackets, are refused without being parsed", () => {
  assert.match(exceededBound(`[${"{},".repeat(20_000_000)}{}]`) ?? "", /at most \d+ values/);
  assert.equal(exceededBound("[".repeat(40_000_000)), "at most 64 levels");
  assert.throws(() => parseAnswer("[".repeat(65)), MalformedAnswerError);
});

test("what stands in a string counts for nothing, however it is escaped", () => {
  const strings = ["[".repeat(100), '\\"[[', "\\", "\\\\", '"', "[\n,"];
  const text = JSON.stringify(strings.flatMap((each) => Array(50).fill(each)));
  assert.equal(exceededBound(text), null);
  assert.equal(exceededBound(JSON.stringify({ '{[",': strings })), null);
  // A quote that is not escaped ends the string: the brackets after it count.
  assert.equal(exceededBound(`["\\\\"${"[".repeat(64)}`), "at most 64 levels");
  assert.equal(exceededBound('["no end'), null);
});

test("a block of 300,000 logs is within the bound", () => {
  const topic = `0x${"ab".repeat(32)}`;
  const log = {
    address: "0x0",
    topics: [topic],
    data: topic,
    blockNumber: "0x1",
    logIndex: "0x1",
    removed: false,
  };
  assert.equal(exceededBound(JSON.stringify([{ logs: Array(300_000).fill(log) }])), null);
});
