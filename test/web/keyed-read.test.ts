import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeyedRead } from "../../src/web/keyed-read.js";

test("each key is read once in its time, and those that nobody asked for lately are forgotten", async () => {
  const seen: string[] = [];
  const get = createKeyedRead({
    read: async (key) => seen.push(key),
    everyMs: 1_000,
    most: 2,
    describe: String,
    now: () => 0,
  });
  await Promise.all([get("a"), get("a")]);
  await get("b");
  await get("a");
  assert.deepEqual(seen, ["a", "b"]);
  await get("c");
  // b was asked for before a was.
  await get("a");
  await get("b");
  assert.deepEqual(seen, ["a", "b", "c", "b"]);
});
