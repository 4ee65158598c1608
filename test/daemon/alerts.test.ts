// The alerts of the real daemon: each story from the fault to who is told of it, and to its end.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import type { AlertRuleName } from "../../src/config/alert-rules.js";
import { blockmill } from "../cli/blockmill.js";
import { makeProgram, startWebhook } from "../support/alert-sinks.js";
import type { Daemon } from "../support/daemon.js";
import { drive, faults, isOpen, logged, quick } from "./alert-faults.js";
import { assertCleanStop, type Scene, setScene, until } from "./scene.js";

const settled = async ({ pool }: Scene) =>
  (await pool.query("select from alerts where not settled")).rowCount === 0;

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
  kind: AlertRuleName,
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
    alerts: alerts({ verification_failures: quick, failed_jobs: quick, error_rate: quick }),
    pipeline: { max_attempts: 2 },
  });
  const { fires, clears, assertDriven } = drive(scene);
  await lie(scene);
  await scene.insert(1, 20);
  await fires("verification_failures");
  await fires("error_rate");
  await fires("failed_jobs");
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
  await clears("verification_failures");
  await clears("error_rate");
  await clears("failed_jobs");
  await assertDriven("alerts", [daemon], ["verification_failures", "error_rate", "failed_jobs"]);
  await assertCleanStop(daemon, scene.pool);
});

test("one endpoint of two that lies is an error that names it, though no block fails; it is over when its rest is", async (t) => {
  const sinks = await setAlertScene(t, { ports: 2 });
  const { scene, alerts } = sinks;
  const daemon = await scene.start({ alerts: alerts({ endpoint_lies: quick }) });
  const { fires, clears, assertDriven } = drive(scene);
  await lie(scene, 1);
  await scene.insert(1, 20);
  await fires("endpoint_lies");
  await scene.settled();
  const { rows } = await scene.pool.query("select message from alerts where kind = 'endpoint_lies'");
  const [honest, liar] = scene.node.urls.map((url) => new URL(url).host);
  assert(rows[0].message.includes(`take ${liar} out`) && !rows[0].message.includes(honest), rows[0].message);
  await scene.node.clearFaults(1);
  await clears("endpoint_lies");
  await until(() => settled(scene), "everybody to be told of the end");
  assertToldOnce(daemon, "endpoint_lies", "err", sinks);
  await assertDriven("alerts", [daemon], ["endpoint_lies"]);
  await assertCleanStop(daemon, scene.pool);
});

test("a chain that stops, and a node that hangs, is an error within seconds, before requests time out; and over when it goes on", async (t) => {
  const { scene, webhook, program, alerts } = await setAlertScene(t);
  const rules = { endpoints_down: { ...quick, threshold: 2 }, head_stalled: { ...quick, threshold: 0.1 } };
  const daemon = await scene.start({
    alerts: alerts(rules),
    pipeline: { auto_enqueue: true, check_interval: 0.5 },
    rpc: { timeout_ms: 30_000 },
  });
  const { fires, clears, assertDriven } = drive(scene);
  // A block time of 12 s is known once the leader has seen some heads; then the chain stops for 1.2 s.
  let minedAt = Number.NEGATIVE_INFINITY;
  await until(async () => {
    if (await isOpen(scene, "head_stalled")) return true;
    if (performance.now() - minedAt > 5_000) {
      minedAt = performance.now();
      await scene.node.mine(3);
    }
    return false;
  }, "the alert that the head stands still");
  await fires("head_stalled");
  await scene.node.autoMine(200);
  await clears("head_stalled");
  await until(async () => (await scene.pool.query("select from blocks limit 3")).rowCount === 3, "blocks");
  await scene.node.setFaults({ hang: true });
  await fires("endpoints_down");
  await until(() => webhook.got.some(({ kind }) => kind === "endpoints_down"), "the webhook to be told");
  await until(() => program.got().some(({ message }) => message.kind === "endpoints_down"), "the command");

  await scene.node.setFaults({ hang: null });
  // What hangs stays so: as when a firewall has forgotten the connection.
  await clears("endpoints_down");
  await scene.node.autoMine(null);
  const head = (await scene.node.head()).number;
  await until(
    async () => (await scene.pool.query("select from blocks where number = $1", [head])).rowCount === 1,
    "the head to be stored",
  );
  await assertDriven("alerts", [daemon], ["head_stalled", "endpoints_down"]);
  await assertCleanStop(daemon, scene.pool);
});

test("receipts that never come: a block that takes too long, a standstill, a backlog and the lag are told, and over when they come", async (t) => {
  const sinks = await setAlertScene(t);
  const { scene, alerts } = sinks;
  const kinds = ["slow_block", "no_progress", "jobs_waiting"] as const;
  const daemon = await scene.start({
    alerts: alerts({
      slow_block: { ...quick, threshold: 1 },
      no_progress: { ...quick, threshold: 1 },
      jobs_waiting: { ...quick, threshold: 50 },
      lag: quick,
    }),
    pipeline: { batch_size: 8, auto_enqueue: true, check_interval: 0.1 },
    chain: { start_block: 398 },
    rpc: { timeout_ms: 6_000 },
  });
  const { fires, clears, assertDriven } = drive(scene);
  await until(async () => (await scene.pool.query("select from blocks limit 3")).rowCount === 3, "blocks");
  await scene.node.setFaults({ hang: ["eth_getBlockReceipts", "eth_getTransactionReceipt"] });
  // Eight minutes, by the chain's time.
  await scene.node.mine(40);
  await scene.insert(1, 300);
  await fires("slow_block");
  await fires("no_progress");
  await fires("jobs_waiting");
  await fires("lag");
  await scene.node.setFaults({ hang: null });
  await scene.settled();
  await clears("slow_block");
  await clears("no_progress");
  await clears("jobs_waiting");
  await clears("lag");
  await until(() => settled(scene), "everybody to be told of the end");
  for (const kind of kinds) assertToldOnce(daemon, kind, faults[kind].priority, sinks);
  await assertDriven("alerts", [daemon], ["slow_block", "no_progress", "jobs_waiting", "lag"]);
  await assertCleanStop(daemon, scene.pool);
});

test("workers that die, and those after them that do not begin, are told, and over when they work", async (t) => {
  const { scene, alerts } = await setAlertScene(t);
  const daemon = await scene.start({
    alerts: alerts({ worker_deaths: { ...quick, threshold: 1 }, no_workers: quick }),
  });
  const { fires, clears, assertDriven } = drive(scene);
  // What had died before the first look is not new.
  await until(
    async () => (await scene.pool.query("select from processing_disk")).rowCount === 1,
    "the leader to look",
  );
  const signal = (pid: number, name: NodeJS.Signals): void => {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  };
  const stopped = new Set<number>();
  await until(async () => {
    const states = await scene.states();
    for (const { pid, workerId } of daemon.workers()) {
      if ((states[workerId] ?? "starting") !== "starting") signal(pid, "SIGKILL");
      else if (!stopped.has(pid)) {
        stopped.add(pid);
        signal(pid, "SIGSTOP");
      }
    }
    const { rows } = await scene.pool.query("select distinct kind from alerts");
    return rows.length === 2;
  }, "both alerts");
  await fires("no_workers");
  await fires("worker_deaths");
  for (const pid of stopped) signal(pid, "SIGCONT");
  await clears("no_workers");
  await clears("worker_deaths");
  await scene.insert(1, 20);
  await scene.settled();
  await assertDriven("alerts", [daemon], ["no_workers", "worker_deaths"]);
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
  const { fires, clears, assertDriven } = drive(scene);
  await fires("lock_wait");
  await person.query("rollback");
  await clears("lock_wait");
  await until(() => settled(scene), "everybody to be told of the end");
  await assertDriven("alerts", [daemon], ["lock_wait"]);
  await assertCleanStop(daemon, scene.pool);
});
