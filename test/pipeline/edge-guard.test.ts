import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { sendTogether } from "../../src/db/exchange.js";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { createLogger } from "../../src/logger.js";
import { createEdgeGuard } from "../../src/pipeline/edge-guard.js";
import { edgeKeys, lockEdges } from "../../src/store/check-links.js";
import { createDatabase } from "../support/database.js";
import { createRole, type TestRole } from "../support/role.js";

const lines: string[] = [];
const log = createLogger({
  component: "test",
  level: "warn",
  redact: (text) => text,
  output: { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream,
  journal: false,
});

/** A database of its own, with a role that goes with it. */
async function setPlace(t: TestContext): Promise<{ role: TestRole; pool: pg.Pool }> {
  const database = await createDatabase();
  const role = await createRole(t, database, "reader");
  const pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test edges",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    min: 0,
    max: 2,
  });
  t.after(() => pool.end());
  return { role, pool };
}

const blocks = [{ number: 7, hash: "0x07", parentHash: "0x06" }] as const;
const hold = "select pg_advisory_lock(hashtext('blockmill links ' || current_schema()), 8)";
const commit = (pool: pg.Pool) => inTransaction(pool, (tx) => sendTogether(tx, [lockEdges(blocks)]));

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

test("the edges of blocks are those to both sides, each once, without those between them", () => {
  const at = (number: number) => ({ number, hash: "0x", parentHash: "0x" }) as const;
  assert.deepEqual(edgeKeys([at(9), at(8), at(2)]).keys, [2, 3, 8, 10]);
});

test("a stranger who holds an edge is named, and commits go alone from then on", async (t) => {
  const { role, pool } = await setPlace(t);
  const stranger = new pg.Client({ connectionString: role.url, application_name: "somebody" });
  stranger.on("error", () => {});
  await stranger.connect();
  t.after(() => stranger.end());
  await stranger.query(hold);
  const guard = createEdgeGuard({ pool, log });
  const error = await failureOf(commit(pool));
  assert.equal(guard.alone(), false);
  assert.equal(await guard.isStrangers(error, blocks), true);
  assert.equal(guard.alone(), true);
  assert.match(lines.join(""), new RegExp(`${role.name} \\(pid \\d+, somebody\\).*pg_terminate_backend`));
  // What fails then has another cause.
  assert.equal(await guard.isStrangers(error, blocks), false);
});

test("an edge that a session of ours holds for long is waited for, and nobody goes alone", async (t) => {
  const { pool } = await setPlace(t);
  const other = await pool.connect();
  try {
    await other.query(hold);
    const error = await failureOf(commit(pool));
    const guard = createEdgeGuard({ pool, log });
    assert.equal(await guard.isStrangers(error, blocks), false);
    assert.equal(await guard.isStrangers(new Error("something else"), blocks), false);
    assert.equal(guard.alone(), false);
  } finally {
    await other.query("select pg_advisory_unlock_all()");
    other.release();
  }
});

test("the wait for edges bounds no other statement of the transaction", async (t) => {
  const { pool } = await setPlace(t);
  const shown = await inTransaction(pool, async (tx) => {
    await tx.query("set local lock_timeout = '7s'");
    await sendTogether(tx, [lockEdges(blocks)]);
    return (await tx.query("show lock_timeout")).rows[0]?.lock_timeout;
  });
  assert.equal(shown, "7s");
});
