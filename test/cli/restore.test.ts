// What is refused before anything is touched. What is restored: test/db/restore-archive.test.ts and test/ops/backup.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase } from "../support/database.js";
import { blockmill } from "./blockmill.js";

test("restore asks for the client programs before it looks at the file", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  const env = { BLOCKMILL_DATABASE_URL: database.url, PATH: "/nowhere" };
  const { code, stderr } = await blockmill(["restore", "/nowhere/backup"], env);
  assert.equal(code, 78);
  assert.match(stderr, /^blockmill: pg_restore is not on the PATH: install PostgreSQL's client programs/);
});

test("restore without a file is a mistake", async () => {
  const { code, stderr } = await blockmill(["restore"]);
  assert.equal(code, 2);
  assert.match(stderr, /missing required argument 'file'/);
});
