// Who is told of alerts, and how often: with real rows, a real web server and a real program.

import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, type TestContext, test } from "node:test";
import { createDelivery, nextEvent } from "../../../src/orchestrator/alerts/deliver.js";
import { findSinks } from "../../../src/orchestrator/alerts/sinks.js";
import {
  clearAlert,
  raiseAlert,
  readAlertHistory,
  trimAlerts,
  type UnsettledAlert,
  unsettledSql,
} from "../../../src/queue/alerts.js";
import { useQueue } from "../../queue/queue-database.js";
import { makeProgram, startWebhook } from "../../support/alert-sinks.js";
import { configOf, silent } from "../scene.js";

const queue = useQueue();
beforeEach(() => queue.pool.query("truncate alerts"));

const unsettled = async () => {
  const [row] = await queue.rows<{ alerts: UnsettledAlert[] }>(`select (${unsettledSql}) as alerts`);
  return row?.alerts ?? [];
};

/** A leader that looks when it is told to. */
function lead(alerts: { webhook?: string; command?: string }) {
  const ended = new AbortController();
  const config = configOf({ "alerts.webhook": alerts.webhook ?? "", "alerts.command": alerts.command ?? "" });
  const delivery = createDelivery({
    pool: queue.pool,
    schema: "public",
    log: silent,
    redact: (text) => text.replaceAll("hunter2", "[redacted]"),
    findSinks: () => findSinks(config.alerts),
    signal: ended.signal,
  });
  return {
    async look() {
      delivery.look(await unsettled(), 1);
      await delivery.idle();
    },
  };
}

/** As if so much time had passed: what was put off is due. */
const waitOut = () => queue.pool.query("update alerts set told = told #- '{webhook,dueAt}'");

async function both(t: TestContext) {
  const webhook = await startWebhook(t);
  const program = makeProgram(t);
  const events = () => webhook.got.map(({ kind, event }) => `${kind} ${event}`);
  return { webhook, program, events, sinks: { webhook: webhook.url, command: program.directory } };
}

test("each sink is told once that an alert was raised and once that it was resolved, whoever leads meanwhile", async (t) => {
  const { webhook, program, events, sinks } = await both(t);
  await raiseAlert(queue.pool, "lag", "behind; hunter2", "err");
  await lead(sinks).look();
  await lead(sinks).look();
  assert.deepEqual(events(), ["lag raised"]);
  await clearAlert(queue.pool, "lag");
  await lead(sinks).look();
  await lead(sinks).look();
  assert.deepEqual(events(), ["lag raised", "lag resolved"]);
  assert.deepEqual(
    program.got().map(({ args }) => args),
    ["alert lag raised", "alert lag resolved"],
  );
  const [first] = webhook.got;
  assert.deepEqual([first?.message, first?.chain_id, first?.resolved_at], ["behind; [redacted]", 1, null]);
  assert.deepEqual(await unsettled(), []);
});

test("a sink that fails is tried again later, and then has all that it missed; the other one does not wait for it", async (t) => {
  const { webhook, program, events, sinks } = await both(t);
  webhook.status = 503;
  await raiseAlert(queue.pool, "lag", "behind", "err");
  const leader = lead(sinks);
  await leader.look();
  await leader.look();
  // Rests: it was asked once.
  assert.deepEqual(events(), ["lag raised"]);
  assert.equal(program.got().length, 1);
  await clearAlert(queue.pool, "lag");
  webhook.status = 200;
  await waitOut();
  await lead(sinks).look();
  assert.deepEqual(events().slice(1), ["lag raised", "lag resolved"]);
  assert.equal(program.got().length, 2);
  assert.deepEqual(await unsettled(), []);
});

test("of alerts of a kind that came and went while a sink was away it is told the newest: no storm", async (t) => {
  const { webhook, events, sinks } = await both(t);
  webhook.status = 500;
  const leader = lead({ webhook: sinks.webhook });
  for (let round = 0; round < 20; round += 1) {
    await raiseAlert(queue.pool, "lag", "behind", "err");
    await leader.look();
    await clearAlert(queue.pool, "lag");
    await leader.look();
  }
  assert.equal(events().length, 1);
  webhook.status = 200;
  await waitOut();
  const next = lead({ webhook: sinks.webhook });
  await next.look();
  await next.look();
  assert.deepEqual(events().slice(1), ["lag raised", "lag resolved"]);
  assert.deepEqual(await unsettled(), []);
});

test("without a sink alerts that are over are settled", async () => {
  await raiseAlert(queue.pool, "lag", "behind", "err");
  const leader = lead({});
  await leader.look();
  assert.equal((await unsettled()).length, 1);
  await clearAlert(queue.pool, "lag");
  await leader.look();
  assert.deepEqual(await unsettled(), []);
});

test("a program that fails, or that is not there, is tried again, and its words are told; files that cannot be run are none", async (t) => {
  const program = makeProgram(t);
  const broken = path.join(program.directory, "broken");
  writeFileSync(broken, "#!/bin/sh\necho no mail today >&2\nexit 3\n");
  const command = program.directory;
  const find = () => findSinks(configOf({ "alerts.command": command }).alerts);
  assert.deepEqual(
    (await find()).map(({ name }) => path.basename(name)),
    ["keep"],
  );
  chmodSync(broken, 0o755);
  const [sink] = await find();
  const message = { kind: "lag", event: "raised" } as never;
  await assert.rejects(
    sink?.send(message, new AbortController().signal) ?? Promise.resolve(),
    /broken did not take it \(exit code 3\): no mail today/,
  );
  assert.deepEqual(await findSinks(configOf({ "alerts.command": "/nowhere/at-all" }).alerts), []);
});

test("a program that does not end is ended when the leader's time is over, with what it started", async (t) => {
  const { directory } = makeProgram(t);
  writeFileSync(
    path.join(directory, "keep"),
    "#!/bin/sh\nsleep 1000 & echo $! $$ > started\nwait\n".replace("started", `${directory}/started`),
  );
  const [sink] = await findSinks(configOf({ "alerts.command": directory }).alerts);
  const ended = new AbortController();
  const sent = sink?.send({ kind: "lag", event: "raised" } as never, ended.signal) ?? Promise.resolve();
  setTimeout(() => ended.abort(), 300);
  await assert.rejects(sent, /SIGKILL/);
});

test("what is over for a day is told to nobody any more", () => {
  const alert = {
    id: 1,
    kind: "lag",
    priority: "err",
    message: "",
    raisedAt: 0,
    clearedAt: 100,
    told: {},
  } as const;
  assert.equal(nextEvent(alert, "webhook", [alert], 100 + 86_000), "raised");
  assert.equal(nextEvent(alert, "webhook", [alert], 100 + 87_000), null);
});

test("raising and clearing notify the alerts' channel with the row's id, and the history is bounded", async () => {
  const client = await queue.pool.connect();
  const heard: string[] = [];
  client.on("notification", ({ channel, payload }) => heard.push(`${channel} ${payload}`));
  await client.query("listen blockmill_alerts_public");
  assert.equal(await raiseAlert(queue.pool, "lag", "behind", "warning"), true);
  assert.equal(await raiseAlert(queue.pool, "lag", "further behind", "warning"), false);
  assert.notEqual(await clearAlert(queue.pool, "lag"), null);
  assert.equal(await clearAlert(queue.pool, "lag"), null);
  await client.query("select 1");
  client.release(true);
  const [row] = await readAlertHistory(queue.pool, { withinSeconds: 60, limit: 10 });
  assert.deepEqual(heard, [`blockmill_alerts_public ${row?.id}`, `blockmill_alerts_public ${row?.id}`]);
  assert.deepEqual([row?.message, row?.priority], ["further behind", "warning"]);
  await queue.pool.query(
    "insert into alerts (kind, message, cleared_at) select 'lag', 'behind', now() from generate_series(1, 1200)",
  );
  await raiseAlert(queue.pool, "lag", "behind", "err");
  await trimAlerts(queue.pool);
  assert.deepEqual(await queue.rows("select count(*)::int, count(cleared_at)::int as over from alerts"), [
    { count: 1_001, over: 1_000 },
  ]);
});
