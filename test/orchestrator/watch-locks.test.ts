import assert from "node:assert/strict";
import { test } from "node:test";
import type { Logger } from "../../src/logger.js";
import { createLockWatch } from "../../src/orchestrator/watch-locks.js";
import { raiseAlert } from "../../src/queue/alerts.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();

test("an alert of an earlier leader is cleared where nothing waits for a lock any more", async () => {
  await raiseAlert(queue.pool, "lock_wait", "a lock on a table is held by somebody");
  const watch = createLockWatch({ pool: queue.pool, log: { warn: assert.fail } as unknown as Logger });
  await watch.run();
  const open = await queue.rows("select kind from alerts where cleared_at is null");
  assert.deepEqual(open, []);
});
