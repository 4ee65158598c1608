import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import pg from "pg";
import { withLockTimeout } from "../../src/cli/with-lock-timeout.js";
import { createPool } from "../../src/db/pool.js";
import { DatabaseUnavailableError } from "../../src/errors.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

let database: TestDatabase;
let pool: pg.Pool;

before(async () => {
  database = await createDatabase();
  pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test status",
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 60_000,
    min: 0,
    max: 1,
  });
});

after(async () => {
  await pool.end();
  await database.drop();
});

test("a look that waits for a lock ends, and names the session that holds it", async (t) => {
  const person = new pg.Client({ connectionString: database.url, application_name: "a person" });
  await person.connect();
  t.after(() => person.end());
  await person.query("begin");
  await person.query("lock table alerts in access exclusive mode");

  const look = withLockTimeout(pool, (one) => one.query("select from alerts"));
  await assert.rejects(look, (error: unknown) => {
    assert(error instanceof DatabaseUnavailableError);
    assert.match(error.message, /the table alerts is held by .*a person/);
    return true;
  });
  await person.query("rollback");
});

test("another failure of a look is told as it is", async () => {
  const failure = new Error("something else");
  await assert.rejects(
    withLockTimeout(pool, () => Promise.reject(failure)),
    failure,
  );
});
