// What a host's processes left when all of them were killed at once.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { electionKey } from "../../src/child/roles.js";
import { claimJobs } from "../../src/queue/claim.js";
import { registerWorkers } from "../../src/queue/workers.js";
import { createSupervisorId, parseSupervisorId } from "../../src/supervisor/identity.js";
import { isPredecessor, releasePredecessors } from "../../src/supervisor/predecessors.js";
import { startSupervisor } from "../../src/supervisor/supervisor.js";
import { configOf, silent } from "../orchestrator/scene.js";
import { useQueue } from "../queue/queue-database.js";
import { waitFor } from "../support/process.js";

const queue = useQueue();
const own = createSupervisorId();
const host = parseSupervisorId(own)?.host ?? assert.fail(`no host in ${own}`);
const { pid: gonePid } = spawnSync("true");
const dead = `${host}.${gonePid}.aaaaaa`;

async function leaveClaim(supervisorId: string, block: number): Promise<void> {
  const workerId = `${supervisorId}/w1`;
  await queue.insert([block]);
  await claimJobs(queue.pool, { workerId, limit: 1 });
  const { pid = 1 } = parseSupervisorId(supervisorId) ?? {};
  const shared = { supervisorId, hostname: host, pid, version: "0", state: "working", doing: null };
  await registerWorkers(queue.pool, [{ ...shared, workerId: supervisorId, role: "supervisor" }]);
}

const release = () =>
  releasePredecessors({
    pool: queue.pool,
    supervisorId: own,
    maxDeaths: 3,
    log: silent,
    redact: (text) => text,
  });

test("a supervisor of this host whose process is gone is a predecessor, and no other one is", () => {
  const isRunning = (pid: number): boolean => pid === 7 || pid === 8;
  assert(isPredecessor("a-host.9.0a1b2c", "a-host.7.ffffff", isRunning));
  assert(
    isPredecessor("a-host.7.0a1b2c", "a-host.7.ffffff", isRunning),
    "a container that was started again",
  );
  assert(!isPredecessor("a-host.7.ffffff", "a-host.7.ffffff", isRunning), "itself");
  assert(!isPredecessor("a-host.8.0a1b2c", "a-host.7.ffffff", isRunning), "one that runs");
  assert(!isPredecessor("b-host.9.0a1b2c", "a-host.7.ffffff", isRunning), "of another host");
  assert(!isPredecessor("somebody", "a-host.7.ffffff", isRunning), "no supervisor");
});

test("what they held is pending again, without an attempt; other hosts' claims stay", async () => {
  await leaveClaim(dead, 1);
  await leaveClaim("other-host.1.aaaaaa", 2);
  await leaveClaim(own, 3);
  assert.deepEqual(
    (await release()).map(({ blockNumber }) => blockNumber),
    [1],
  );
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "processing", 3: "processing" });
  assert.equal((await queue.job(1)).attempts, 0);
});

test("one that has sessions yet, or its lock, is left to the leader", async (t) => {
  await leaveClaim(dead, 1);
  const session = await connect(t, `blockmill ${dead}/w1`);
  assert.deepEqual(await release(), []);
  await session.query("set application_name = 'another'");
  await session.query("select pg_advisory_lock(hashtextextended($1, 0))", [dead]);
  assert.deepEqual(await release(), []);
  assert.deepEqual(await queue.statuses(), { 1: "processing" });
});

test("a database that refuses it is no reason not to start", async (t) => {
  await leaveClaim(dead, 1);
  await queue.rows("alter table processing_failures rename to elsewhere");
  t.after(() => queue.rows("alter table elsewhere rename to processing_failures"));
  assert.deepEqual(await release(), []);
});

test("a supervisor that starts releases them, with nobody to lead", async (t) => {
  await leaveClaim(dead, 1);
  // Its orchestrator cannot lead: somebody does whom nothing is heard of.
  const leader = await connect(t, "blockmill elsewhere.1.aaaaaa/o1 lead");
  await leader.query("select pg_advisory_lock(hashtextextended($1, 0))", [
    electionKey("orchestrator", "public"),
  ]);
  const config = configOf({
    "database.url": queue.url,
    "rpc.urls": ["http://127.0.0.1:1"],
    "log.level": "fatal",
  });
  config.pipeline.workers = 1;
  const supervisor = startSupervisor({
    config,
    version: "1.2.3",
    log: silent,
    redact: (text) => text,
    outputFd: 2,
  });
  t.after(async () => {
    supervisor.stop();
    await supervisor.ended;
  });
  const isReleased = async () => {
    const { status, worker_id } = await queue.job(1);
    return status !== "processing" || worker_id !== `${dead}/w1`;
  };
  await waitFor(isReleased, { what: "the release" });
});

async function connect(t: TestContext, name: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: queue.url, application_name: name });
  session.on("error", () => {});
  await session.connect();
  t.after(() => session.end());
  return session;
}
