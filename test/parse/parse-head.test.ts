import assert from "node:assert/strict";
import { test } from "node:test";
import { parseHead } from "../../src/chain/parse/parse-head.js";
import { BadResponseError } from "../../src/errors.js";
import { rawBlock } from "../support/raw-block.js";

test("a head is read from a block, with or without its transactions", () => {
  const { block } = rawBlock({ number: 5, timestamp: 1_700_000_000 });
  const { hash, parentHash } = block;
  assert.deepEqual(parseHead(block, "one"), { number: 5, hash, parentHash, timestamp: 1_700_000_000 });
  const bare = { number: "0x5", hash, parentHash, timestamp: "0x1" };
  assert.deepEqual(parseHead(bare, "one"), { number: 5, hash, parentHash, timestamp: 1 });
});

test("a head that is none names its field and its endpoint", () => {
  const { block } = rawBlock({ number: 5 });
  for (const field of ["number", "hash", "parentHash", "timestamp"]) {
    for (const value of [null, undefined, "0x", "0xzz", -5, [], {}, "f".repeat(1_000_000)]) {
      assert.throws(
        () => parseHead({ ...block, [field]: value }, "one"),
        (error) => {
          assert(error instanceof BadResponseError);
          assert.equal(error.facts.field, field);
          assert.equal(error.facts.endpoint, "one");
          return true;
        },
      );
    }
  }
  for (const value of [null, undefined, "0x5", [], 5])
    assert.throws(() => parseHead(value, "one"), BadResponseError);
});
