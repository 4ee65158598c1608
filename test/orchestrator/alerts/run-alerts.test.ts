// All that a leader does for people, together: rules, sinks, the disk, the heartbeat.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import type { Endpoints } from "../../../src/chain/endpoints.js";
import { ruleSettings } from "../../../src/config/alert-rules.js";
import type { ConnectionOptions } from "../../../src/db/connection.js";
import type { Logger } from "../../../src/logger.js";
import { createBoard } from "../../../src/orchestrator/alerts/board.js";
import { createHeartbeat } from "../../../src/orchestrator/alerts/heartbeat.js";
import { withNamedHolder } from "../../../src/orchestrator/alerts/name-table-holder.js";
import { runAlerts } from "../../../src/orchestrator/alerts/run-alerts.js";
import { withoutPassword } from "../../../src/orchestrator/alerts/sinks.js";
import { createDiskWatch } from "../../../src/orchestrator/alerts/watch-disk.js";
import { span } from "../../../src/orchestrator/alerts/wording.js";
import { startWebhook } from "../../support/alert-sinks.js";
import { waitFor } from "../../support/process.js";
import { configOf, silent, useWorld } from "../scene.js";

const world = useWorld();

async function startListener(t: TestContext, status: () => number) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
    response.writeHead(status()).end("ok");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { asked, port: (server.address() as AddressInfo).port };
}

test("a leader judges, tells, measures and sends its heartbeat until its time is over", async (t) => {
  await world.pool.query("truncate processing_workers, processing_disk");
  const webhook = await startWebhook(t);
  const heartbeat = await startListener(t, () => 200);
  const ended = new AbortController();
  const errors: unknown[] = [];
  const running = runAlerts({
    pool: world.pool,
    config: configOf({
      "alerts.webhook": webhook.url,
      "alerts.command": "",
      "alerts.heartbeat": `http://127.0.0.1:${heartbeat.port}/ping/abcdefgh`,
      "alerts.rules": { no_workers: { for_seconds: 0 } },
    }),
    endpoints: { status: () => [] } as unknown as Endpoints,
    log: silent,
    redact: (text) => text,
    signal: ended.signal,
    onError: (_duty, error) => errors.push(error),
  });
  await waitFor(() => webhook.got.length > 0 && heartbeat.asked.length > 0, { what: "both to be told" });
  await waitFor(async () => (await world.rows("select from processing_disk")).length === 1, {
    what: "a sample",
  });
  ended.abort();
  await running.done;
  assert.deepEqual(
    webhook.got.map(({ kind, event }) => `${kind} ${event}`),
    ["no_workers raised"],
  );
  assert.deepEqual(heartbeat.asked, ["GET /ping/abcdefgh "]);
  assert.deepEqual(errors, []);
});

test("no heartbeat is sent while the rules are not judged; one that is not taken is told once", async (t) => {
  let status = 500;
  const { asked, port } = await startListener(t, () => status);
  const warned: unknown[] = [];
  let isWell = false;
  const log = { warn: (...said: unknown[]) => warned.push(said), info: () => {} } as unknown as Logger;
  const duty = createHeartbeat({
    url: `http://ann:hunter2@127.0.0.1:${port}/`,
    isWell: () => isWell,
    log,
    redact: (text) => text,
  });
  await duty.run();
  assert.deepEqual(asked, []);
  isWell = true;
  await duty.run();
  assert.equal(await duty.run(), 60_000);
  assert.equal(warned.length, 1);
  status = 200;
  await duty.run();
  status = 500;
  await duty.run();
  assert.equal(warned.length, 2);
  assert.equal(asked[0], `GET / Basic ${Buffer.from("ann:hunter2").toString("base64")}`);
});

test("an alert is one line of its priority as it is raised, and one as it is cleared", async () => {
  const lines: string[] = [];
  const keep = (level: string) => (facts: { alert: string }, message: string) =>
    lines.push(`${level} ${facts.alert} ${message}`);
  const log = { error: keep("error"), warn: keep("warn"), info: keep("info") } as unknown as Logger;
  const board = createBoard({ pool: world.pool, log, settings: ruleSettings("") });
  await board.raise("lag", "it is far behind");
  await board.raise("lag", "it is further behind");
  await board.raise("backup_old", "there is none");
  await board.clear("lag");
  await board.clear("lag");
  assert.deepEqual(lines, [
    "error lag it is far behind",
    "warn backup_old there is none",
    "info lag lag: it is over",
  ]);
});

test("growth is measured from an hour on, and the capacity is what the configuration or the file system says", async () => {
  await world.pool.query("truncate processing_disk");
  const watch = createDiskWatch({ pool: world.pool, diskGb: 2 });
  assert.equal(watch.seen(), undefined);
  await watch.duty.run();
  assert.deepEqual([watch.seen()?.capacity, watch.seen()?.bytesPerDay], [2e9, null]);
  await watch.duty.run();
  assert.equal((await world.rows("select from processing_disk")).length, 1);
  await world.pool.query(
    `update processing_disk set sampled_at = now() - interval '12 h', bytes = jsonb_build_object('blocks', 1000)`,
  );
  await watch.duty.run();
  const { bytes = 0, bytesPerDay } = watch.seen() ?? {};
  assert(Math.abs((bytesPerDay ?? 0) - (bytes - 1_000) * 2) < bytes / 100, `${bytesPerDay} of ${bytes}`);
  // As superuser, and on this host: what is free here.
  const local = createDiskWatch({ pool: world.pool, diskGb: 0 });
  await local.duty.run();
  assert((local.seen()?.capacity ?? 0) > 1e9, String(local.seen()?.capacity));
});

test("a URL's password goes into the header, and spans are written in one unit", () => {
  assert.deepEqual(withoutPassword("https://a%40b:c@host/x"), {
    href: "https://host/x",
    authorization: { authorization: `Basic ${Buffer.from("a@b:c").toString("base64")}` },
  });
  assert.deepEqual([5, 300, 10_000, 400_000].map(span), ["5 s", "5 min", "2 h", "4 days"]);
});

test("a look that comes back soon names nobody, and one without room for a connection waits alone", async () => {
  assert.equal(await withNamedHolder(Promise.resolve(7), undefined), 7);
  const options = { connection: {} as ConnectionOptions, log: silent, settings: ruleSettings("") };
  assert.equal(await withNamedHolder(Promise.resolve(7), options), 7);
});
