import assert from "node:assert/strict";
import { test } from "node:test";
import { alive } from "../support/process.js";
import { assertCleanStop, numbers, type Scene, said, setScene, until } from "./scene.js";

const shortLease = { lease_seconds: 1.5 };

async function leaders(scene: Scene): Promise<string[]> {
  const states = await scene.states();
  return Object.keys(states).filter((id) => states[id] === "leading");
}

test("the children of a supervisor that is killed give their claims back and end by themselves", async (t) => {
  const scene = await setScene(t);
  // Neither the node nor the end of a drain comes to help.
  const daemon = await scene.start({ pipeline: { drain_seconds: 3_600 }, rpc: { timeout_ms: 600_000 } });
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
  await scene.insert(1, 4);
  await scene.claimed(2);
  const pids = daemon.pids();
  process.kill(daemon.pid, "SIGKILL");
  await until(() => !pids.some(alive), "its children to end");
  assert.deepEqual(
    (await scene.jobs()).map(({ status, attempts, deaths }) => ({ status, attempts, deaths })),
    numbers(1, 4).map(() => ({ status: "pending", attempts: 0, deaths: 0 })),
  );

  // Another daemon takes over, and forgets the dead one.
  await scene.node.clearFaults();
  const heir = await scene.start();
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 4));
  await until(
    async () => Object.keys(await scene.states()).every((id) => id.startsWith(heir.supervisorId)),
    "the dead daemon's rows to be swept",
  );
  await assertCleanStop(heir, scene.pool);
});

test("kill -9 of the main process costs no attempt, though another daemon leads", async (t) => {
  const scene = await setScene(t);
  const leader = await scene.start({ pipeline: { workers: 1 } });
  const daemon = await scene.start({ pipeline: { workers: 2 } });
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
  await scene.insert(1, 30);
  for (let kills = 0; ; kills += 1) {
    const victim = kills === 0 ? daemon : await scene.start({ pipeline: { workers: 2 } });
    await until(
      async () => (await scene.jobs()).some(({ worker_id }) => worker_id?.startsWith(victim.supervisorId)),
      "its claims",
    );
    const pids = victim.pids();
    process.kill(victim.pid, "SIGKILL");
    await until(() => !pids.some(alive), "its children to end");
    if (kills === 3) break;
  }
  await scene.node.clearFaults();
  const jobs = await scene.settled();
  assert.deepEqual(
    jobs.filter(({ attempts, deaths }) => attempts !== 1 || deaths !== 0),
    [],
  );
  await scene.assertWrittenOnce(numbers(1, 30));
  await assertCleanStop(leader, scene.pool);
});

test("of two daemons on one schema one leads, and when it is killed the other does", async (t) => {
  const scene = await setScene(t, { node: { head: 20 } });
  const pipeline = { auto_enqueue: true, check_interval: 0.2, workers: 1 };
  const config = { pipeline, database: shortLease };
  const daemons = [await scene.start(config), await scene.start(config)];
  await until(async () => (await leaders(scene)).length === 1, "one leader");
  const [leader] = await leaders(scene);
  const first = daemons.find(({ supervisorId }) => leader?.startsWith(supervisorId));
  const second = daemons.find((each) => each !== first);
  assert(first !== undefined && second !== undefined);
  assert.equal((await scene.states())[second.orchestrator().workerId], "following");

  const killed = performance.now();
  for (const pid of first.pids()) process.kill(pid, "SIGKILL");
  const heir = second.orchestrator().workerId;
  await until(async () => (await scene.states())[heir] === "leading", "the other to lead");
  t.diagnostic(`the other led ${Math.round(performance.now() - killed)} ms after the leader was killed`);
  await scene.node.mine(3);
  await until(async () => (await scene.jobs()).length === 4, "the head to be followed");
  await scene.settled();
  await scene.assertWrittenOnce(numbers(20, 23));
  await until(
    async () => Object.keys(await scene.states()).every((id) => id.startsWith(second.supervisorId)),
    "the dead daemon's rows to be swept",
  );
  await assertCleanStop(second, scene.pool);
});

test("the claims of a host that freezes are released within its lease and a few seconds, and it writes nothing when it thaws", async (t) => {
  const scene = await setScene(t);
  const pipeline = { hung_seconds: 120 };
  const frozen = await scene.start({ pipeline, database: shortLease, rpc: { timeout_ms: 120_000 } });
  await scene.node.setFaults({ latencyMs: 800 });
  await scene.insert(1, 2);
  const held = await scene.claimed(2);
  assert(held.every(({ worker_id }) => worker_id?.startsWith(frozen.supervisorId)));
  const pids = frozen.pids();
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  const stopped = performance.now();
  await scene.node.clearFaults();

  const other = await scene.start();
  const jobs = await scene.settled();
  const ms = Math.round(performance.now() - stopped);
  t.diagnostic(`done by another daemon, started meanwhile, ${ms} ms after the host froze`);
  assert(jobs.every(({ worker_id }) => worker_id?.startsWith(other.supervisorId)));
  assert(jobs.every(({ deaths, attempts }) => deaths === 0 && attempts === 1));

  const seen = frozen.program.output.length;
  for (const pid of pids) process.kill(pid, "SIGCONT");
  await said(frozen, /lease of this host is lost/, seen);
  await said(frozen, /holding the lease of this host/, seen);
  // It works again, and what it held when it froze stays as the other left it.
  await scene.insert(3, 30);
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 30));
  assert.deepEqual((await scene.jobs()).slice(0, 2), jobs);
  assert.deepEqual(await frozen.stop(), { code: 0, signal: null });
  await assertCleanStop(other, scene.pool);
});

test("a frozen host's claims are released by a daemon that runs beside it", async (t) => {
  const scene = await setScene(t);
  const other = await scene.start({ pipeline: { workers: 1 }, database: shortLease });
  // Only the fall of its lease tells that it is gone.
  const frozen = await scene.start({ pipeline: { hung_seconds: 3_600 }, database: shortLease });
  await scene.node.setFaults({ hang: ["eth_getBlockByNumber"] });
  await scene.insert(1, 6);
  await scene.claimed(3);
  const pids = frozen.pids();
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  const theirs = (await scene.jobs()).filter(({ worker_id }) => worker_id?.startsWith(frozen.supervisorId));
  assert(theirs.length > 0);
  const stopped = performance.now();
  await until(async () => {
    const { rows } = await scene.pool.query("select from processing_failures where class = 'lost'");
    return rows.length >= theirs.length;
  }, "its claims to be released");
  const ms = Math.round(performance.now() - stopped);
  t.diagnostic(`released ${ms} ms after the host froze, with a lease of 1,500 ms`);
  await frozen.destroy();
  await scene.node.clearFaults();
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 6));
  await assertCleanStop(other, scene.pool);
});

/** Registers a supervisor that holds no lock, with a claim of block 5. */
async function registerLost(scene: Scene): Promise<void> {
  await scene.pool.query(
    `insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version)
     values ('away.1.a/w1', 'away.1.a', 'worker', 'away', 1, '0')`,
  );
  await scene.pool.query(
    `insert into processing_jobs (block_number, status, worker_id, started_at)
     values (5, 'processing', 'away.1.a/w1', now())`,
  );
}

test("where a leader lost its session, supervisors get the time of a lease to take their locks again", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ database: { lease_seconds: 3 } });
  await said(daemon, /leading: following/);
  await scene.pool.query(
    // Of this database alone: others' tests run beside this one.
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'blockmill % lead' and datname = current_database()",
  );
  const lost = timeOf(await said(daemon, /not leading/));
  await registerLost(scene);
  const released = timeOf(await said(daemon, /released the claims of lost workers/));
  assert(released - lost >= 3_000, `${released - lost} ms`);
  await scene.settled();
  await scene.assertWrittenOnce([5]);
  await assertCleanStop(daemon, scene.pool);
});

test("a follower that lost its session long ago releases the claims of the lost at once when it comes to lead", async (t) => {
  const leaseSeconds = 4;
  const scene = await setScene(t);
  const config = { database: { lease_seconds: leaseSeconds }, pipeline: { workers: 1 } };
  const leader = await scene.start(config);
  await said(leader, /leading: following/);
  const follower = await scene.start(config);
  const session = `blockmill ${follower.orchestrator().workerId} lead`;
  await scene.pool.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1",
    [session],
  );
  await said(follower, /not leading/);
  await until(async () => {
    const { rows } = await scene.pool.query(
      `select from pg_stat_activity
       where application_name = $1 and backend_start < clock_timestamp() - $2 * interval '1 second'`,
      [session, leaseSeconds],
    );
    return rows.length > 0;
  }, "its new session to be older than a lease");

  for (const pid of leader.pids()) process.kill(pid, "SIGKILL");
  await registerLost(scene);
  const leading = timeOf(await said(follower, /leading: following/));
  const released = timeOf(await said(follower, /released the claims of lost workers/));
  assert(released - leading < leaseSeconds * 1_000 - 500, `${released - leading} ms`);
  await scene.settled();
  await scene.assertWrittenOnce([5]);
  await assertCleanStop(follower, scene.pool);
});

test("where only a leader died, the next one releases the claims of the lost at once", async (t) => {
  const leaseSeconds = 5;
  const scene = await setScene(t);
  await until(async () => {
    const { rows } = await scene.pool.query(
      "select where clock_timestamp() - pg_postmaster_start_time() > $1 * interval '1 second'",
      [leaseSeconds],
    );
    return rows.length > 0;
  }, "the server to be up for longer than a lease");
  await registerLost(scene);
  const daemon = await scene.start({ database: { lease_seconds: leaseSeconds } });
  const leading = timeOf(await said(daemon, /leading: following/));
  const released = timeOf(await said(daemon, /released the claims of lost workers/));
  assert(released - leading < leaseSeconds * 1_000 - 500, `${released - leading} ms`);
  await scene.settled();
  await scene.assertWrittenOnce([5]);
  await assertCleanStop(daemon, scene.pool);
});

/** When a log line was written, in milliseconds. */
function timeOf(line: string): number {
  return Date.parse((JSON.parse(line) as { time: string }).time);
}
