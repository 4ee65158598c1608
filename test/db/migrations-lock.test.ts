// Who changes the schema is alone, whatever strangers hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { lockSchema } from "../../src/db/migrations.js";
import { inTransaction } from "../../src/db/pool.js";
import { createDatabase, emptyDatabase, type TestDatabase } from "../support/database.js";
import { waitFor } from "../support/process.js";
import { createRole, createTwoRoles } from "../support/role.js";

const hold = "select pg_advisory_lock(hashtextextended('blockmill init public', 0))";

/** Two transactions that change the schema, one begun in the other: the second gets its turn when the first has ended. */
async function assertAlone(
  { pool }: TestDatabase,
  between: () => Promise<void>,
  [first, second] = [pool, pool],
): Promise<void> {
  const order: string[] = [];
  let behind: Promise<unknown> = Promise.resolve();
  await inTransaction(first, async (tx) => {
    await lockSchema(tx, "public");
    await between();
    behind = inTransaction(second, async (other) => {
      await lockSchema(other, "public");
      order.push("second");
    });
    behind.catch(() => {});
    // It looks again and again, until it has its turn.
    await waitFor(
      async () =>
        order.length > 0 ||
        (
          await pool.query(
            "select from pg_stat_activity where datname = current_database() and query = 'rollback to savepoint schema_lock'",
          )
        ).rows.length > 0,
      { what: "the second to look in vain" },
    );
    order.push("first");
  });
  await behind;
  assert.deepEqual(order, ["first", "second"]);
}

test("two changes of the schema come one after the other", async (t) => {
  const database = await createDatabase();
  t.after(() => database.drop());
  await assertAlone(database, async () => {});
});

test("also where a stranger holds the key, and when the stranger leaves meanwhile", async (t) => {
  const database = await createDatabase();
  const role = await createRole(t, database, "reader");
  const stranger = new pg.Client(role.url);
  stranger.on("error", () => {});
  await stranger.connect();
  t.after(() => stranger.end());
  await stranger.query(hold);
  await assertAlone(database, async () => {});
  await assertAlone(database, async () => {
    await stranger.query("select pg_advisory_unlock_all()");
  });
});

test("two roles that may make the tables come one after the other, where there are none yet", async (t) => {
  const database = await emptyDatabase();
  const [a, b] = await createTwoRoles(t, database);
  for (const { name } of [a, b])
    await database.pool.query(`grant create on database ${database.name} to ${name}`);
  // Neither may create in this one: there a stranger's hold does no harm.
  await database.pool.query("create schema other");
  const pools = ["new_schema", "other"].flatMap((schema) =>
    [a, b].map(({ url }) => new pg.Pool({ connectionString: url, options: `-c search_path=${schema}` })),
  );
  const [first, second, stranger, third] = pools;
  assert(first && second && stranger && third);
  try {
    await assertAlone(database, async () => {}, [first, second]);
    await stranger.query(hold);
    await inTransaction(third, (tx) => lockSchema(tx, "public"));
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
  }
});
