import assert from "node:assert/strict";
import { test } from "node:test";
import { checkChainId } from "../../src/chain/chain-id.js";
import { ConfigError } from "../../src/errors.js";

test("an endpoint of the schema's chain is taken, one of another is the configuration's error", () => {
  checkChainId({ endpoint: "node", serves: 1, holds: 1 });
  assert.throws(
    () => checkChainId({ endpoint: "node", serves: 5, holds: 1 }),
    (error) =>
      error instanceof ConfigError && /node serves chain 5, but the schema holds chain 1/.test(error.message),
  );
});
