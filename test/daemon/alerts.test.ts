// The alerts of the real daemon: each story from the fault to who is told of it, and to its end.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { blockmill } from "../cli/blockmill.js";
import { makeProgram, startWebhook } from "../support/alert-sinks.js";
import type { Daemon } from "../support/daemon.js";
import { assertCleanStop, type Scene, setScene, until } from "./scene.js";

const settled = async ({ pool }: Scene) =>
  (await pool.query("select from alerts where not settled")).rowCount === 0;

const isOpen = async ({ pool }: Scene, kind: string) =>
  (await pool.query("select from alerts where kind = $1 and cleared_at is null", [kind])).rowCount === 1;

/** The log's lines of a level that name an alert. */
const logged = (daemon: Daemon, kind: string) =>
  daemon.program.output
    .filter((line) => line.includes(`"alert":"${kind}"`))
    .map((line) => JSON.parse(line) as { level: number; msg: string; resolved?: boolean });

/** Raised as soon as it is so, and cleared soon after it is over. */
const quick = { for_seconds: 0, clear_seconds: 1 };

async function setAlertScene(t: TestContext, { ports = 1 } = {}) {
  const webhook = await startWebhook(t);
  const program = makeProgram(t);
  const scene = await setScene(t, { node: { ports } });
  const alerts = (rules: Record<string, object> = {}) => ({
    webhook: webhook.url,
    command: program.directory,
    window_seconds: 5,
    rules,
  });
  return { scene, webhook, program, alerts };
}

/** Each alert was one line as it began, one as it ended, and one message each to the webhook and to the program. */
function assertToldOnce(
  daemon: Daemon,
  kind: string,
  priority: "err" | "warning",
  { webhook, program }: Pick<Awaited<ReturnType<typeof setAlertScene>>, "webhook" | "program">,
): void {
  const [raised, resolved, ...more] = logged(daemon, kind);
  const level = priority === "err" ? 50 : 40;
  assert.deepEqual([raised?.level, resolved?.level, resolved?.resolved, more], [level, 30, true, []], kind);
  const told = webhook.got.filter((each) => each.kind === kind);
  assert.deepEqual(
    told.map((each) => [each.event, each.priority]),
    [
      ["raised", priority],
      ["resolved", priority],
    ],
  );
  assert.equal(told[0]?.help, `docs/TROUBLESHOOTING.md#alert-${kind}`);
  assert.equal(told[0]?.message, raised?.msg);
  assert.match(told[1]?.resolved_at ?? "", /^\d{4}-.*Z$/);
  const run = program.got().filter(({ message }) => message.kind === kind);
  assert.deepEqual(
    run.map(({ args }) => args),
    [`alert ${kind} raised`, `alert ${kind} resolved`],
  );
  assert.deepEqual(
    run.map(({ message }) => message),
    told,
  );
}

/** A node that leaves one log out of each answer, also where receipts are asked for singly. */
async function lie({ node }: Scene, endpoint?: number): Promise<void> {
  for (const method of ["eth_getBlockReceipts", "eth_getTransactionReceipt"])
    await node.mutate({ kind: "drop-log", method, count: 0 }, endpoint);
}

test("a node that leaves one log out of each answer: within seconds it is an error in the log, and webhook and command are told once that it began and once that it is over", async (t) => {
  const sinks = await setAlertScene(t);
  const { scene, alerts } = sinks;
  const daemon = await scene.start({
    alerts: alerts({ verification_failures: quick, failed_jobs: quick }),
    pipeline: { max_attempts: 2 },
  });
  await lie(scene);
  await scene.insert(1, 20);
  await until(() => isOpen(scene, "verification_failures"), "the alert");
  await until(() => isOpen(scene, "failed_jobs"), "the alert of failed jobs");
  const env = { BLOCKMILL_DATABASE_URL: scene.databaseUrl };
  // The one is over soon; the other one stays until somebody has retried the jobs.
  const { code, stdout } = await blockmill(["status", "--check"], env);
  assert(code === 1 || code === 2, stdout);
  assert.match(stdout, /^(WARNING|CRITICAL): .*\n$/);
  const shown = await blockmill(["alerts"], env);
  assert.equal(shown.code, 1);
  assert.match(shown.stdout, /failed_jobs \(warning\) .*\n {2}\d+ jobs? failed for good/);

  await scene.node.clearFaults();
  await scene.settled({ statuses: ["completed", "failed"] });
  const retried = await blockmill(["retry", "--all"], env);
  assert.equal(retried.code, 0);
  await scene.settled();
  await until(() => settled(scene), "everybody to be told of the end");
  assertToldOnce(daemon, "verification_failures", "err", sinks);
  assertToldOnce(daemon, "failed_jobs", "warning", sinks);
  await assertCleanStop(daemon, scene.pool);
});

test("one endpoint of two that lies is an error that names it, though no block fails; it is over when its rest is", async (t) => {
  const sinks = await setAlertScene(t, { ports: 2 });
  const { scene, alerts } = sinks;
  const daemon = await scene.start({ alerts: alerts({ endpoint_lies: quick }) });
  await lie(scene, 1);
  await scene.insert(1, 20);
  await until(() => isOpen(scene, "endpoint_lies"), "the alert");
  await scene.settled();
  const { rows } = await scene.pool.query("select message from alerts where kind = 'endpoint_lies'");
  const [honest, liar] = scene.node.urls.map((url) => new URL(url).host);
  assert(rows[0].message.includes(`take ${liar} out`) && !rows[0].message.includes(honest), rows[0].message);
  await scene.node.clearFaults(1);
  await until(() => settled(scene), "the end");
  assertToldOnce(daemon, "endpoint_lies", "err", sinks);
  await assertCleanStop(daemon, scene.pool);
});

test("a node that hangs is an error within seconds, before its requests time out; and over when it answers", async (t) => {
  const { scene, webhook, program, alerts } = await setAlertScene(t);
  const rules = { endpoints_down: { ...quick, threshold: 2 } };
  const daemon = await scene.start({
    alerts: alerts(rules),
    pipeline: { auto_enqueue: true, check_interval: 0.5 },
    rpc: { timeout_ms: 30_000 },
  });
  await scene.node.autoMine(200);
  await until(async () => (await scene.pool.query("select from blocks limit 3")).rowCount === 3, "blocks");
  await scene.node.setFaults({ hang: true });
  await until(() => isOpen(scene, "endpoints_down"), "the alert");
  const { rows } = await scene.pool.query("select message from alerts where kind = 'endpoints_down'");
  assert.match(rows[0].message, /has not answered for \d+ s.*Nothing is lost/);
  await until(async () => logged(daemon, "endpoints_down").length > 0, "its line in the log");
  assert.equal(logged(daemon, "endpoints_down")[0]?.level, 50);
  await until(() => webhook.got.some(({ kind }) => kind === "endpoints_down"), "the webhook to be told");
  await until(() => program.got().some(({ message }) => message.kind === "endpoints_down"), "the command");

  await scene.node.setFaults({ hang: null });
  // What hangs stays so: as when a firewall has forgotten the connection.
  await until(async () => !(await isOpen(scene, "endpoints_down")), "its end");
  await scene.node.autoMine(null);
  const head = (await scene.node.head()).number;
  await until(
    async () => (await scene.pool.query("select from blocks where number = $1", [head])).rowCount === 1,
    "the head to be stored",
  );
  await assertCleanStop(daemon, scene.pool);
});

test("receipts that never come: a block that takes too long, a standstill and a backlog are told, and over when they come", async (t) => {
  const sinks = await setAlertScene(t);
  const { scene, alerts } = sinks;
  const kinds = { slow_block: "warning", no_progress: "err", jobs_waiting: "err" } as const;
  const daemon = await scene.start({
    alerts: alerts({
      slow_block: { ...quick, threshold: 1 },
      no_progress: { ...quick, threshold: 1 },
      jobs_waiting: { ...quick, threshold: 50 },
    }),
    pipeline: { batch_size: 8 },
    rpc: { timeout_ms: 6_000 },
  });
  await scene.node.setFaults({ hang: ["eth_getBlockReceipts", "eth_getTransactionReceipt"] });
  await scene.insert(1, 300);
  for (const kind of Object.keys(kinds)) await until(() => isOpen(scene, kind), `the alert ${kind}`);
  await scene.node.setFaults({ hang: null });
  await scene.settled();
  await until(() => settled(scene), "everybody to be told of the end");
  for (const [kind, priority] of Object.entries(kinds)) assertToldOnce(daemon, kind, priority, sinks);
  await assertCleanStop(daemon, scene.pool);
});

test("workers that die again and again are told", async (t) => {
  const { scene, alerts } = await setAlertScene(t);
  const daemon = await scene.start({ alerts: alerts({ worker_deaths: { ...quick, threshold: 1 } }) });
  // What had died before the first look is not new.
  await until(
    async () => (await scene.pool.query("select from processing_disk")).rowCount === 1,
    "the leader to look",
  );
  for (let death = 0; death < 3; death += 1) {
    const [worker] = daemon.workers();
    process.kill(worker?.pid ?? assert.fail(), "SIGKILL");
    await until(() => !daemon.workers().some(({ pid }) => pid === worker?.pid), "it to be gone");
    await until(() => daemon.workers().length === 2, "another one");
  }
  await until(() => isOpen(scene, "worker_deaths"), "the alert");
  await assertCleanStop(daemon, scene.pool);
});

test("a locked table, which no look can read, is named with its holder, and is over when the lock is", async (t) => {
  const { scene, alerts } = await setAlertScene(t);
  const daemon = await scene.start({ alerts: alerts({ lock_wait: quick }) });
  const person = new pg.Client({ connectionString: scene.databaseUrl, application_name: "somebody" });
  person.on("error", () => {});
  await person.connect();
  t.after(() => person.end());
  await person.query("begin; lock table processing_jobs in access exclusive mode");
  await until(() => isOpen(scene, "lock_wait"), "the alert");
  const { rows } = await scene.pool.query("select message from alerts where kind = 'lock_wait'");
  assert.match(rows[0].message, /processing_jobs.*somebody.*pg_terminate_backend/);
  await person.query("rollback");
  await until(() => settled(scene), "the end");
  await assertCleanStop(daemon, scene.pool);
});
