import assert from "node:assert/strict";
import { test } from "node:test";
import { noteOrTell } from "../../src/cli/note-upkeep.js";
import type { Sql } from "../../src/db/pool.js";
import { noteUpkeep } from "../../src/queue/upkeep.js";
import { useQueue } from "./queue-database.js";

const queue = useQueue();

test("a backup is noted, and the next one in its place; a role that only reads is told, and anything else is thrown", async () => {
  assert.equal(await noteUpkeep(queue.pool, "backup"), true);
  await noteOrTell(queue.pool, "backup");
  await noteOrTell(queue.pool, "verification");
  const found = await queue.rows(
    "select what, done_at > now() - interval '1 min' as recent from processing_upkeep order by 1",
  );
  assert.deepEqual(found, [
    { what: "backup", recent: true },
    { what: "verification", recent: true },
  ]);
  const client = await queue.pool.connect();
  try {
    await client.query("create role only_reads; set role only_reads");
    assert.equal(await noteUpkeep(client as unknown as Sql, "backup"), false);
    await client.query("reset role; drop role only_reads");
  } finally {
    client.release(true);
  }
  const gone = { query: () => Promise.reject(new Error("gone")) } as unknown as Sql;
  await assert.rejects(noteUpkeep(gone, "backup"), /gone/);
});
