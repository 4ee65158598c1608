// What else is promised of blocks is promised of blocks in partitions: these suites once more, with a boundary
// every seven blocks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase, partitionBlocksVariable } from "../support/database.js";

process.env[partitionBlocksVariable] = "7";

await import("../reorg/fork-scripts.test.js");
await import("../reorg/range.test.js");
await import("../reorg/crashes.test.js");
await import("../reorg/anvil.test.js");
await import("../stored/gaps.test.js");
await import("../stored/digests.test.js");
await import("../stored/load-blocks.test.js");
await import("../stored/prove-stored.test.js");
await import("../store/write-blocks.test.js");
await import("../ops/grants.test.js");

test("these suites ran on partitions", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const { rows } = await database.pool.query(
    "select relkind, partition_blocks::int from pg_class, chain_layout where pg_class.oid = 'blocks'::regclass",
  );
  assert.deepEqual(rows, [{ relkind: "p", partition_blocks: 7 }]);
});
