import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { releaseWorker } from "../../src/queue/release.js";
import { computeFd } from "../../src/supervisor/load-child.js";
import type { Daemon } from "../support/daemon.js";
import { alive } from "../support/process.js";
import { assertCleanStop, numbers, type Scene, said, setScene, until } from "./scene.js";

/** Lets workers grow their batches on quick blocks 301 to 400. */
async function warmUp(scene: Scene): Promise<void> {
  await scene.insert(301, 400);
  await scene.settled();
}

async function replaced(daemon: Daemon, before: number[]): Promise<void> {
  await until(() => {
    const now = daemon.workers().map(({ pid }) => pid);
    return now.length === before.length && now.some((pid) => !before.includes(pid));
  }, "the dead one to be replaced");
}

test("the claims of a worker that is killed are run by another at once, all blocks complete, none twice", async (t) => {
  const scene = await setScene(t);
  // Only their supervisor gives them back: no sweep and no other heartbeat comes to help.
  const pipeline = { workers: 3, check_interval: 3_600, hung_seconds: 3_600 };
  const daemon = await scene.start({ pipeline });
  await warmUp(scene);
  const before = daemon.workers().map(({ pid }) => pid);
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
  // So few that one worker claims them all, and the others sleep.
  await scene.insert(1, 3);
  const held = await scene.claimed();
  const victim = held[0]?.worker_id ?? "";
  const { pid } = daemon.child(victim);

  await scene.node.clearFaults();
  // Its claims: those of the moment when it can make no more.
  process.kill(pid, "SIGSTOP");
  const ids = (await scene.jobs()).filter((job) => job.status === "processing" && job.worker_id === victim);
  assert(ids.length > 0);
  const killed = performance.now();
  process.kill(pid, "SIGKILL");
  await until(async () => {
    const { rows } = await scene.pool.query(
      "select from processing_jobs where id = any ($1) and worker_id = $2",
      [ids.map(({ id }) => id), victim],
    );
    return rows.length === 0;
  }, "its jobs to be claimed by others");
  const ms = Math.round(performance.now() - killed);
  t.diagnostic(`${ids.length} claims of a killed worker were claimed by others after ${ms} ms`);

  await replaced(daemon, before);
  await scene.settled();
  await scene.assertWrittenOnce([...numbers(1, 3), ...numbers(301, 400)]);
  assert.deepEqual(await scene.pool.query("select from processing_failures").then(({ rows }) => rows), []);
  const marks = (await scene.jobs()).filter(({ attempts, deaths }) => attempts !== 1 || deaths !== 0);
  assert.deepEqual(marks, [], "it waited for its node: its death is no block's fault");
  await assertCleanStop(daemon, scene.pool);
});

test("workers of a node that does not answer may be killed as often as somebody likes: no job loses an attempt", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { workers: 2, max_attempts: 3 } });
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
  await scene.insert(1, 20);
  const killed = new Set<string>();
  while (killed.size < 12) {
    const { worker_id: id } = await until(
      async () => (await scene.jobs()).find(({ worker_id }) => worker_id !== null && !killed.has(worker_id)),
      "another worker to claim",
    );
    assert(id !== null);
    killed.add(id);
    process.kill(daemon.child(id).pid, "SIGKILL");
  }
  await scene.node.clearFaults();
  const jobs = await scene.settled();
  assert.deepEqual(
    jobs.filter(({ attempts, deaths }) => attempts !== 1 || deaths !== 0),
    [],
  );
  await scene.assertWrittenOnce(numbers(1, 20));
  await assertCleanStop(daemon, scene.pool);
});

test("a worker that was frozen while its claims were released and finished by another writes nothing when it thaws", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { hung_seconds: 120 }, rpc: { timeout_ms: 120_000 } });
  await scene.node.resetCounters();
  await scene.node.setFaults({ latencyMs: 1_000 });
  await scene.insert(5);
  await scene.node.waitForCalls({ method: "eth_getBlockReceipts", count: 1 });
  const [job] = await scene.claimed();
  const frozen = job?.worker_id ?? "";
  const { pid } = daemon.child(frozen);
  process.kill(pid, "SIGSTOP");
  await scene.node.clearFaults();

  // As a sweep would.
  const released = await releaseWorker(scene.pool, frozen, { maxDeaths: 3, reason: "it is frozen" });
  assert.equal(released.length, 1);
  const [finished] = await scene.settled();
  assert.notEqual(finished?.worker_id, frozen);

  process.kill(pid, "SIGCONT");
  await said(daemon, (line) => line.includes("handed on meanwhile") && line.includes(frozen));
  await scene.assertWrittenOnce([5]);
  assert.deepEqual(await scene.jobs(), [finished]);
  await until(async () => {
    const { rows } = await scene.pool.query<{ lost: number; completed: number }>(
      `select (doing->>'lost')::int as lost, (doing->>'completed')::int as completed
         from processing_workers where worker_id = $1`,
      [frozen],
    );
    return rows[0]?.lost === 1 && rows[0].completed === 0;
  }, "its report to count what it lost");
  await assertCleanStop(daemon, scene.pool);
});

/** The block that a worker computes at this moment: what its supervisor would read, were it dead. */
function computedBy(pid: number): number {
  const mark = readFileSync(`/proc/${pid}/fd/${computeFd}`);
  return mark.length < 8 ? -1 : Number(mark.readBigInt64LE());
}

/** The place in rpc.urls of the endpoint whose answers it reads for that. */
function endpointReadBy(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/fd/${computeFd}`).readBigInt64LE(8));
}

/** Kills the worker that holds a block while it computes it. Resolves with its id. One that was `killed` may still be dying. */
async function killComputing(
  daemon: Daemon,
  scene: Scene,
  { block, killed, seen }: { block: number; killed: ReadonlySet<string>; seen?: (pid: number) => void },
): Promise<string> {
  return until(async () => {
    const job = (await scene.jobs()).find(({ block_number }) => block_number === block);
    if (job?.status !== "processing" || job.worker_id === null || killed.has(job.worker_id)) return undefined;
    const worker = daemon.workers().find(({ workerId }) => workerId === job.worker_id);
    if (worker === undefined || computedBy(worker.pid) !== block) return undefined;
    process.kill(worker.pid, "SIGSTOP");
    await until(() => isStopped(worker.pid), "it to stop");
    const isComputing = computedBy(worker.pid) === block;
    if (isComputing) seen?.(worker.pid);
    process.kill(worker.pid, isComputing ? "SIGKILL" : "SIGCONT");
    return isComputing ? worker.workerId : undefined;
  }, `block ${block} to be computed`);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the state follows the name in brackets. */
function isStopped(pid: number): boolean {
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
}

test("a block whose workers die while they compute it is failed with that reason, and its neighbours complete unharmed", async (t) => {
  // Senders are recovered: much work for each of these blocks.
  const scene = await setScene(t, { node: { head: 10, transactions: 300 } });
  const daemon = await scene.start({
    pipeline: { max_attempts: 3, hung_seconds: 120 },
    chain: { recover_senders: true },
  });
  await scene.insert(5, 8);
  const killed = new Set<string>();
  for (let death = 0; death < 3; death += 1)
    killed.add(await killComputing(daemon, scene, { block: 7, killed }));
  assert.equal(killed.size, 3);
  const jobs = await scene.settled({ statuses: ["completed", "failed"] });
  assert.deepEqual(
    jobs.map(({ block_number, deaths, attempts, last_error }) => [
      block_number,
      deaths,
      attempts,
      last_error,
    ]),
    [
      [5, 0, 1, null],
      [6, 0, 1, null],
      [7, 3, 3, "the worker died (SIGKILL) while it computed this block"],
      [8, 0, 1, null],
    ],
  );
  await scene.assertWrittenOnce([5, 6, 8]);
  await assertCleanStop(daemon, scene.pool);
});

test("a block whose workers are killed while they compute nothing is failed in the end, and the others go on", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { max_attempts: 3, hung_seconds: 120 } });
  // Time to be killed in: nothing is computed meanwhile.
  await scene.node.setFaults({ latencyMs: 150 });
  await scene.insert(5, 8);
  const killed = new Set<string>();
  const [job] = await until(async () => {
    const jobs = (await scene.jobs()).filter(({ block_number }) => block_number === 5);
    const holder = jobs[0]?.status === "processing" ? jobs[0].worker_id : null;
    const worker = daemon.workers().find(({ workerId }) => workerId === holder);
    if (worker !== undefined && !killed.has(worker.workerId)) {
      process.kill(worker.pid, "SIGSTOP");
      await until(() => isStopped(worker.pid), "it to stop");
      const isWaiting = computedBy(worker.pid) === -1;
      if (isWaiting) killed.add(worker.workerId);
      process.kill(worker.pid, isWaiting ? "SIGKILL" : "SIGCONT");
    }
    return jobs[0]?.status === "failed" && jobs;
  }, "block 5 to be failed");
  assert.match(job?.last_error ?? "", /^16 workers died while they held this block and computed nothing/);
  assert(killed.size >= 16, `${killed.size} deaths`);
  const jobs = await scene.settled({ statuses: ["completed", "failed"] });
  assert.deepEqual(
    jobs.map(({ block_number, status, attempts, deaths }) => [block_number, status, attempts, deaths]),
    [
      [5, "failed", 1, 1],
      [6, "completed", 1, 0],
      [7, "completed", 1, 0],
      [8, "completed", 1, 0],
    ],
  );
  await scene.assertWrittenOnce([6, 7, 8]);
  await assertCleanStop(daemon, scene.pool);
});

test("an endpoint at whose answer a worker died is put aside, and another one's is read next", async (t) => {
  const scene = await setScene(t, { node: { head: 10, transactions: 300, ports: 2 } });
  const daemon = await scene.start({
    pipeline: { max_attempts: 3, hung_seconds: 120 },
    chain: { recover_senders: true },
  });
  await scene.insert(5);
  const killed = new Set<string>();
  let read: number | undefined;
  await killComputing(daemon, scene, { block: 5, killed, seen: (pid) => (read = endpointReadBy(pid)) });
  await scene.settled();
  const { rows } = await scene.pool.query<{ endpoint: string; deaths: number }>(
    "select result->>'endpoint' as endpoint, deaths from processing_jobs",
  );
  assert(read === 0 || read === 1, `endpoint ${read} was read`);
  assert.deepEqual(rows, [{ endpoint: new URL(scene.node.urls[1 - read] ?? "").host, deaths: 1 }]);
  await assertCleanStop(daemon, scene.pool);
});

test("a worker that hangs is killed and replaced, and its block is run by another", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { hung_seconds: 2 } });
  await scene.node.setFaults({ latencyMs: 500 });
  await scene.insert(5);
  const [job] = await scene.claimed();
  const { pid } = daemon.child(job?.worker_id ?? "");
  const before = daemon.workers().map((worker) => worker.pid);
  process.kill(pid, "SIGSTOP");
  await said(daemon, /hung: killing it/);
  await replaced(daemon, before);
  assert(!alive(pid));
  const [finished] = await scene.settled();
  assert.deepEqual([finished?.deaths, finished?.attempts], [0, 1], "it hung while it waited for its node");
  await scene.assertWrittenOnce([5]);
  await assertCleanStop(daemon, scene.pool);
});

test("an orchestrator that is killed is replaced, and the head is followed on", async (t) => {
  const scene = await setScene(t, { node: { head: 50 } });
  const daemon = await scene.start({ pipeline: { auto_enqueue: true, check_interval: 0.2 } });
  await scene.settled();
  await scene.node.mine(2);
  await until(async () => (await scene.jobs()).length === 3, "two new blocks");
  const { pid } = daemon.orchestrator();
  process.kill(pid, "SIGKILL");
  await scene.node.mine(2);
  await until(async () => (await scene.jobs()).length === 5, "two more");
  assert.notEqual(daemon.orchestrator().pid, pid);
  await scene.settled();
  await scene.assertWrittenOnce(numbers(50, 54));
  await assertCleanStop(daemon, scene.pool);
});
