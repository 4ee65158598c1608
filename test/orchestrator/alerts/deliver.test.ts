// Who is told of alerts, and how often: with real rows, a real web server and a real program.

import assert from "node:assert/strict";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeEach, type TestContext, test } from "node:test";
import { createDelivery, nextEvent } from "../../../src/orchestrator/alerts/deliver.js";
import { type AlertMessage, findSinks } from "../../../src/orchestrator/alerts/sinks.js";
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
import { alive, waitFor } from "../../support/process.js";
import { configOf, silent } from "../scene.js";

const queue = useQueue();
beforeEach(() => queue.pool.query("truncate alerts"));

const unsettled = async () => {
  const [row] = await queue.rows<{ alerts: UnsettledAlert[] }>(`select (${unsettledSql}) as alerts`);
  return row?.alerts ?? [];
};

const options = {
  get pool() {
    return queue.pool;
  },
  schema: "public",
  log: silent,
  redact: (text: string) => text.replaceAll("hunter2", "[redacted]"),
  signal: new AbortController().signal,
};
const message = { schema: "public", id: 1, kind: "lag", event: "raised" } as AlertMessage;

/** A leader that looks when it is told to. */
function lead(alerts: { webhook?: string; command?: string }) {
  const delivery = createDelivery({
    ...options,
    findSinks: () => findSinks({ webhook: "", command: "", ...alerts }),
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

test("a sink that hangs holds up no other one, and is given up in time", async (t) => {
  const { webhook, program, sinks } = await both(t);
  webhook.status = undefined;
  const ended = new AbortController();
  const delivery = createDelivery({ ...options, findSinks: () => findSinks(sinks), signal: ended.signal });
  await raiseAlert(queue.pool, "lag", "behind", "err");
  delivery.look(await unsettled(), 1);
  await waitFor(() => program.got().length === 1 && webhook.got.length === 1, { what: "both to be told" });
  // The webhook has not answered yet, and the program hears of the next one.
  await raiseAlert(queue.pool, "no_workers", "none lives", "err");
  await waitFor(
    async () => {
      delivery.look(await unsettled(), 1);
      return program.got().length === 2;
    },
    { what: "the program to be told" },
  );
  assert.equal(webhook.got.length, 1);
  ended.abort();
  await delivery.idle();
  const [sink] = await findSinks({ webhook: sinks.webhook, command: "" }, { webhookMs: 50, commandMs: 50 });
  await assert.rejects(sink?.send(message, new AbortController().signal) ?? assert.fail(), /timeout/);
});

test("a webhook that answers 500 for a minute is asked a few times, and then told once that it began and once that it is over", async (t) => {
  const { webhook, events, sinks } = await both(t);
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  webhook.status = 500;
  await raiseAlert(queue.pool, "lag", "behind", "err");
  let leader = lead({ webhook: sinks.webhook });
  for (let second = 0; second < 60; second += 2) {
    await leader.look();
    t.mock.timers.tick(2_000);
    // Another daemon leads: it keeps to what was noted.
    if (second === 30) leader = lead({ webhook: sinks.webhook });
  }
  // At 0, 5, 15 and 35 s.
  assert.deepEqual(events(), Array(4).fill("lag raised"));
  webhook.status = 204;
  await clearAlert(queue.pool, "lag");
  for (let second = 0; second < 60; second += 2) {
    await leader.look();
    t.mock.timers.tick(2_000);
  }
  assert.deepEqual(events().slice(4), ["lag raised", "lag resolved"]);
  assert.deepEqual(await unsettled(), []);
});

test("what is told is not told again by a look that began before it was noted", async (t) => {
  const { events, sinks } = await both(t);
  const delivery = createDelivery({ ...options, findSinks: () => findSinks(sinks) });
  await raiseAlert(queue.pool, "lag", "behind", "err");
  const before = await unsettled();
  for (let look = 0; look < 3; look += 1) {
    delivery.look(structuredClone(before), 1);
    await delivery.idle();
  }
  assert.deepEqual(events(), ["lag raised"]);
});

test("a webhook that redirects has not taken it, and nothing is sent to where it points", async (t) => {
  const other = await startWebhook(t);
  const { webhook, sinks } = await both(t);
  webhook.status = 307;
  webhook.location = other.url;
  const [sink] = await findSinks({ webhook: sinks.webhook, command: "" });
  await assert.rejects(
    sink?.send(message, new AbortController().signal) ?? assert.fail(),
    ({ cause }: Error) => /redirect/.test(String(cause)),
  );
  assert.deepEqual([webhook.got.length, other.got.length], [1, 0]);
});

/** A program of these lines, as a sink that may take so long. */
async function programOf(t: TestContext, lines: string, commandMs = 60_000) {
  const { directory } = makeProgram(t);
  writeFileSync(path.join(directory, "keep"), `#!/bin/sh\n${lines}\n`);
  const [sink = assert.fail()] = await findSinks(
    { webhook: "", command: directory },
    { webhookMs: 1, commandMs },
  );
  return { directory, send: () => sink.send(message, new AbortController().signal) };
}

test("a program that prints megabytes has taken it or not by its exit code, and little of what it says is kept", async (t) => {
  const loud = "head -c 20000000 /dev/zero | tr '\\0' x; head -c 20000000 /dev/zero | tr '\\0' y >&2";
  await (await programOf(t, loud)).send();
  const { send } = await programOf(t, `${loud}; exit 9`);
  const error = await send().then(
    () => assert.fail("it was taken"),
    (reason: Error) => reason,
  );
  assert.match(error.message, /did not take it \(exit code 9\): y+$/);
  assert(error.message.length < 2_200, `${error.message.length} characters`);
});

test("a program that hangs is ended with what it started; one that leaves something running has taken it", async (t) => {
  const { directory, send } = await programOf(t, 'sleep 1000 & echo $! > "$0.pid"; wait', 500);
  await assert.rejects(send(), /did not take it \(it ran for 0\.5 s\)/);
  const pid = Number(readFileSync(path.join(directory, "keep.pid"), "utf8"));
  await waitFor(() => !alive(pid), { what: "what it started to be gone" });
  const left = await programOf(t, 'sleep 1000 & echo $! > "$0.pid"');
  await left.send();
  process.kill(Number(readFileSync(path.join(left.directory, "keep.pid"), "utf8")), "SIGKILL");
});

test("of too many alerts that are still to be told, those that are open are all seen", async () => {
  await queue.pool.query(
    "insert into alerts (kind, message, cleared_at) select 'lag', 'behind', now() from generate_series(1, 300)",
  );
  await raiseAlert(queue.pool, "no_workers", "none lives", "err");
  const seen = await unsettled();
  assert.deepEqual([seen.length, seen.at(-1)?.kind], [200, "no_workers"]);
});

test("what is over for a day is told to nobody any more", () => {
  const alert = { id: 1, kind: "lag", clearedAt: 100, told: undefined } as const;
  assert.equal(nextEvent(alert, [alert], 100 + 86_000), "raised");
  assert.equal(nextEvent(alert, [alert], 100 + 87_000), null);
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
