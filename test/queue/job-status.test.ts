import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { isOpen, jobStatuses, listOf, statuses, statusOrder } from "../../src/queue/job-status.js";
import { projectRoot } from "../support/project.js";

test("the schema has the statuses, their order and their meanings", async () => {
  const schema = await readFile(path.join(projectRoot, "schema.sql"), "utf8");
  assert.ok(schema.includes(`check (status in ${listOf(statusOrder)})`));
  const meanings = statusOrder.map((status) => `${status}: ${jobStatuses[status]}.`).join(" ");
  assert.ok(schema.includes(`comment on column processing_jobs.status       is '${meanings}';`), meanings);
});

test("a statement spells a status as the status itself, and what is open runs by itself", () => {
  assert.deepEqual(
    Object.values(statuses),
    statusOrder.map((status) => `'${status}'`),
  );
  assert.deepEqual(statusOrder.filter(isOpen), ["pending", "scheduled", "processing"]);
  assert.equal(isOpen("archived"), false);
});
