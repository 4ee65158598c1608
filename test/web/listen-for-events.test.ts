import assert from "node:assert/strict";
import { test } from "node:test";
import { createPool } from "../../src/db/pool.js";
import { listenForEvents } from "../../src/web/listen-for-events.js";
import { createDatabase } from "../support/database.js";
import { waitFor } from "../support/process.js";

test("it listens while somebody looks, on the connection that reads, also after that was lost", async (t) => {
  const database = await createDatabase();
  const pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill test web",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 10_000,
    min: 0,
    max: 1,
    looks: false,
  });
  t.after(async () => {
    await pool.end();
    await database.drop();
  });
  let heard = 0;
  const { listen, unlisten } = listenForEvents(pool, {
    channels: ["Some channel"],
    onEvent: () => {
      heard += 1;
    },
  });
  const notify = () => database.pool.query(`select pg_notify('Some channel', 'x')`);
  const isHeard = (what: string) => {
    const before = heard;
    return waitFor(
      async () => {
        await notify();
        // As each read is begun: one may meet the loss.
        await listen().catch(() => {});
        await pool.query("select 1").catch(() => {});
        return heard > before;
      },
      { what },
    );
  };
  await isHeard("a notification");
  await database.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'blockmill test web'",
  );
  await isHeard("a notification after a loss");
  unlisten();
  await pool.query("select 1");
  const { rows } = await pool.query("select pg_listening_channels()");
  assert.deepEqual(rows, []);
});
