import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChainId } from "../../src/chain/parse/parse-chain-id.js";
import { BadResponseError } from "../../src/errors.js";

test("a chain id is a hex quantity above zero", () => {
  assert.equal(parseChainId("0x2105", "node"), 8453);
  for (const wrong of [8453, "8453", "0x", "0x0", null, `0x${"f".repeat(16)}`])
    assert.throws(() => parseChainId(wrong, "node"), BadResponseError);
});
