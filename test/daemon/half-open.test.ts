import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase } from "../support/database.js";
import { startTcpProxy } from "../support/tcp-proxy.js";
import { assertCleanStop, numbers, said, setScene, until } from "./scene.js";

test("a listening connection that is dead, though nothing says so, is replaced: an insert wakes a worker again", async (t) => {
  const database = await createDatabase();
  const { hostname: host, port } = new URL(database.url);
  const proxy = await startTcpProxy({ to: { host, port: Number(port) } });
  t.after(async () => {
    await proxy.close();
    await database.drop();
  });
  const place = { url: proxy.urlOf(database.url), pool: database.pool };
  const scene = await setScene(t, { database: place });
  // No sweep and no poll comes to help.
  const daemon = await scene.start({
    pipeline: { workers: 2, check_interval: 3_600 },
    database: { lease_seconds: 1.5 },
  });
  await scene.insert(1, 20);
  await scene.settled();

  const from = daemon.program.output.length;
  const frozen = performance.now();
  assert.equal(proxy.freeze(/ listen$/), 3);
  await scene.insert(21, 40);
  await said(daemon, /pulses do not arrive/, from);
  const noticedMs = Math.round(performance.now() - frozen);
  await scene.settled();
  t.diagnostic(`noticed after ${noticedMs} ms, with a lease of 1.5 s`);
  await scene.assertWrittenOnce(numbers(1, 40));
  await until(async () => {
    const { rows } = await database.pool.query(
      "select from pg_stat_activity where application_name like 'blockmill % listen' and datname = current_database()",
    );
    return rows.length >= 3;
  }, "every process to listen again");
  proxy.thaw();
  await assertCleanStop(daemon, scene.pool);
});
