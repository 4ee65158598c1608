import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { inTransaction } from "../../src/db/pool.js";
import { claimJobs } from "../../src/queue/claim.js";
import { countClaims } from "../../src/queue/count-claims.js";
import { failJob } from "../../src/queue/fail.js";
import { giveBack, giveBackUnknown } from "../../src/queue/give-back.js";
import type { Token } from "../../src/queue/job.js";
import { postponeJob } from "../../src/queue/postpone.js";
import {
  endSessions,
  leastLosses,
  releaseOverdue,
  releaseSupervisor,
  releaseWorker,
} from "../../src/queue/release.js";
import { sweepLostSupervisors, sweepOverdue, trimFailures } from "../../src/queue/sweep.js";
import { registerWorkers, type WorkerRow } from "../../src/queue/workers.js";
import { completeJobs } from "../support/complete-jobs.js";
import { waitFor } from "../support/process.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();
const options = { maxDeaths: 3, reason: "it died" };

const claim = (workerId: string, limit = 1) => claimJobs(queue.pool, { workerId, limit });

async function owners(): Promise<Record<number, string | null>> {
  const jobs = await queue.jobs();
  return Object.fromEntries(
    jobs.map(({ block_number, status, worker_id }) => [
      block_number,
      status === "processing" ? worker_id : status,
    ]),
  );
}

test("a dead worker's claims are pending again, with the attempt and the death counted and recorded", async () => {
  await queue.insert([1, 2, 3]);
  await claim("vm.1.a/w1", 2);
  await claim("vm.1.a/w2");
  const released = await releaseWorker(queue.pool, "vm.1.a/w1", options);
  assert.deepEqual(
    released.map(({ blockNumber, workerId, status }) => ({ blockNumber, workerId, status })),
    [
      { blockNumber: 1, workerId: "vm.1.a/w1", status: "pending" },
      { blockNumber: 2, workerId: "vm.1.a/w1", status: "pending" },
    ],
  );
  assert.deepEqual(await owners(), { 1: "pending", 2: "pending", 3: "vm.1.a/w2" });
  const job = await queue.job(1);
  assert.deepEqual([job.attempts, job.deaths, job.last_error], [1, 1, "it died"]);
  assert.deepEqual(
    await queue.rows(
      "select block_number, attempt, class, message, worker_id from processing_failures order by block_number",
    ),
    [1, 2].map((block_number) => ({
      block_number,
      attempt: 1,
      class: "died",
      message: "it died",
      worker_id: "vm.1.a/w1",
    })),
  );
});

test("worker 1 is not taken for worker 11, nor supervisor vm.1 for vm.11", async () => {
  await queue.insert(numbers(1, 5));
  for (const worker of ["vm.1/w1", "vm.1/w11", "vm.11/w1", "vm.1x/w1", "xvm.1/w1"]) await claim(worker);
  await releaseWorker(queue.pool, "vm.1/w1", options);
  assert.deepEqual(await owners(), {
    1: "pending",
    2: "vm.1/w11",
    3: "vm.11/w1",
    4: "vm.1x/w1",
    5: "xvm.1/w1",
  });
  await releaseSupervisor(queue.pool, "vm.1", options);
  assert.deepEqual(await owners(), {
    1: "pending",
    2: "pending",
    3: "vm.11/w1",
    4: "vm.1x/w1",
    5: "xvm.1/w1",
  });
});

test("a block that kills its workers is failed when as many have died as may", async () => {
  await queue.insert([7]);
  for (const [death, status] of ["pending", "pending", "failed"].entries()) {
    await claim(`vm.1.a/w${death}`);
    await releaseWorker(queue.pool, `vm.1.a/w${death}`, options);
    assert.equal((await queue.job(7)).status, status);
  }
  const job = await queue.job(7);
  assert.deepEqual([job.deaths, job.attempts, job.last_error], [3, 3, "it died"]);
  assert.equal((await queue.rows("select from processing_failures")).length, 3);
});

test("a claim that is older than the timeout is released, a younger one is not", async () => {
  await queue.insert([1, 2]);
  await claim("vm.1.a/w1", 2);
  await queue.rows(
    "update processing_jobs set started_at = now() - interval '61 seconds' where block_number = 1",
  );
  const released = await releaseOverdue(queue.pool, 60_000, options);
  assert.deepEqual(
    released.map(({ blockNumber }) => blockNumber),
    [1],
  );
  await sweepOverdue(queue.pool, { maxDeaths: 3, timeoutMs: 0 });
  assert.deepEqual(await owners(), { 1: "pending", 2: "pending" });
});

test("rows that a settlement has locked are passed over, not waited for", async () => {
  await queue.insert([1, 2]);
  const [settled] = await claim("vm.1.a/w1", 2);
  assert(settled !== undefined);
  await inTransaction(queue.pool, async (tx) => {
    await completeJobs(tx, "vm.1.a/w1", [{ token: settled.token, result: {} }]);
    await inTransaction(queue.pool, async (other) => {
      await other.query("set local lock_timeout = '1ms'");
      const released = await releaseWorker(other, "vm.1.a/w1", options);
      assert.deepEqual(
        released.map(({ blockNumber }) => blockNumber),
        [2],
      );
    });
    assert.equal(await countClaims(queue.pool, "vm.1.a/w1"), 1);
  });
  assert.deepEqual(await owners(), { 1: "completed", 2: "pending" });
  assert.equal(await countClaims(queue.pool, "vm.1.a/w1"), 0);
});

const worker = (workerId: string): WorkerRow => ({
  workerId,
  supervisorId: workerId.split("/")[0] ?? "",
  role: "worker",
  hostname: "vm",
  pid: 1,
  version: "0",
  state: "working",
  doing: null,
});

/** A session of its own, as a process of blockmill would have it. Its end is no error. */
async function openSession(applicationName: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: queue.url, application_name: applicationName });
  session.on("error", () => {});
  await session.connect();
  return session;
}

/** Holds a supervisor's lease, as the supervisor does. */
async function holdLock(supervisorId: string): Promise<pg.Client> {
  const session = await openSession(`blockmill ${supervisorId} lease`);
  await session.query("select pg_advisory_lock(hashtextextended($1, 0))", [supervisorId]);
  return session;
}

const sweep = async (thorough = false) =>
  (await sweepLostSupervisors(queue.pool, { maxDeaths: 3, thorough })).released;

test("a supervisor whose lock is held keeps its claims, one whose lock is free loses them", async () => {
  await queue.insert([1, 2]);
  await claim("vm.1.a/w1");
  await claim("vm.2.b/w1");
  await registerWorkers(queue.pool, [worker("vm.1.a/w1"), worker("vm.2.b/w1")]);
  const lock = await holdLock("vm.1.a");
  try {
    const released = await sweep(true);
    assert.deepEqual(
      released.map(({ workerId }) => workerId),
      ["vm.2.b/w1"],
    );
    assert.deepEqual(await owners(), { 1: "vm.1.a/w1", 2: "pending" });
    assert.match((await queue.job(2)).last_error ?? "", /vm\.2\.b was lost/);
    assert.deepEqual(await queue.rows("select worker_id from processing_workers"), [
      { worker_id: "vm.1.a/w1" },
    ]);
  } finally {
    await lock.end();
  }
  await waitFor(async () => (await sweep()).length === 1, { what: "the lock to fall with its session" });
  assert.deepEqual(await owners(), { 1: "pending", 2: "pending" });
});

test("a supervisor that is excepted keeps its claims and its row, whoever holds its lock", async () => {
  await queue.insert([1, 2]);
  await claim("vm.1.a/w1");
  await claim("vm.2.b/w1");
  await registerWorkers(queue.pool, [worker("vm.1.a/w1"), worker("vm.2.b/w1")]);
  const except = "vm.1.a";
  const first = await sweepLostSupervisors(queue.pool, { maxDeaths: 3, thorough: true, except });
  assert.equal(first.alone, false);
  assert.deepEqual(await owners(), { 1: "vm.1.a/w1", 2: "pending" });
  assert.deepEqual(await queue.rows("select worker_id from processing_workers"), [
    { worker_id: "vm.1.a/w1" },
  ]);
  const { alone } = await sweepLostSupervisors(queue.pool, { maxDeaths: 3, thorough: true, except });
  assert.equal(alone, true, "the other one is gone");
});

test("the sessions of a lost supervisor's processes are ended, and no others", async () => {
  await registerWorkers(queue.pool, [worker("vm.1.a/w1")]);
  const names = ["blockmill vm.1.a/w1", "blockmill vm.1.a/w1 listen", "blockmill vm.11.a/w1", "psql"];
  const sessions = await Promise.all(names.map(openSession));
  try {
    await sweep();
    const left = async () => {
      const rows = await queue.rows<{ application_name: string }>(
        `select application_name from pg_stat_activity
         where datname = current_database() and application_name = any ($1) order by 1`,
        [names],
      );
      return rows.map(({ application_name }) => application_name);
    };
    await waitFor(async () => (await left()).length === 2, { what: "two sessions to end" });
    assert.deepEqual(await left(), ["blockmill vm.11.a/w1", "psql"]);
    assert.equal(await endSessions(queue.pool, "vm.11.a/"), 1);
  } finally {
    await Promise.all(sessions.map((session) => session.end().catch(() => {})));
  }
});

test("sweeps at once release a loss once", async () => {
  await queue.insert(numbers(1, 20));
  await claim("vm.1.a/w1", 20);
  await registerWorkers(queue.pool, [worker("vm.1.a/w1")]);
  const released = await Promise.all(numbers(1, 6).map(() => sweep(true)));
  assert.equal(released.flat().length, 20);
  for (const job of await queue.jobs()) assert.deepEqual([job.deaths, job.attempts], [0, 0]);
  assert.equal((await queue.rows("select from processing_failures where class = 'lost'")).length, 20);
});

test("a host's loss costs no attempt, and the first one counts for no block; the next ones do, up to the most", async () => {
  await queue.insert([1, 2]);
  const seen: unknown[] = [];
  for (let loss = 1; loss <= 4; loss += 1) {
    const id = `vm.${loss}.a/w1`;
    await claim(id, 2);
    // Block 2 is not among those that are lost again.
    if (loss > 1) await giveBackUnknown(queue.pool, id, [{ id: (await queue.job(1)).id } as Token]);
    await registerWorkers(queue.pool, [worker(id)]);
    await sweep();
    const { attempts, deaths, status } = await queue.job(1);
    seen.push([attempts, deaths, status]);
  }
  assert.deepEqual(seen, [
    [0, 0, "pending"],
    [0, 1, "pending"],
    [0, 2, "pending"],
    [0, 3, "failed"],
  ]);
  const { attempts, deaths, status } = await queue.job(2);
  assert.deepEqual([attempts, deaths, status], [0, 0, "pending"]);
});

test("a worker's death counts for the block that it computed, and costs the others nothing", async () => {
  await queue.insert([1, 2, 3]);
  await claim("vm.1.a/w1", 3);
  const released = await releaseWorker(queue.pool, "vm.1.a/w1", { ...options, blamed: [2] });
  assert.deepEqual(
    released.map(({ blockNumber, blamed }) => [blockNumber, blamed]),
    [
      [1, false],
      [2, true],
      [3, false],
    ],
  );
  assert.deepEqual(
    (await queue.jobs()).map(({ attempts, deaths, last_error }) => [attempts, deaths, last_error]),
    [
      [0, 0, null],
      [1, 1, "it died"],
      [0, 0, null],
    ],
  );
  assert.deepEqual(await queue.rows("select block_number, class from processing_failures"), [
    { block_number: 2, class: "died" },
  ]);
  await claim("vm.1.a/w2", 3);
  await releaseWorker(queue.pool, "vm.1.a/w2", { ...options, blamed: [] });
  assert.deepEqual(
    (await queue.jobs()).map(({ attempts, deaths }) => [attempts, deaths]),
    [
      [0, 0],
      [1, 1],
      [0, 0],
    ],
  );
});

test("a job in hand at deaths that nobody knows the cause of is claimed alone after three, and failed after many", async () => {
  await queue.insert([1, 2, 3]);
  const suspect = async (death: number, limit: number) => {
    const jobs = await claim(`vm.1.a/w${death}`, limit);
    const released = await releaseWorker(queue.pool, `vm.1.a/w${death}`, { ...options, blamed: "suspects" });
    return { claimed: jobs.map(({ blockNumber }) => blockNumber), released };
  };
  for (let death = 1; death <= 3; death += 1)
    assert.deepEqual((await suspect(death, 2)).claimed, [1, 2], `death ${death}`);
  assert.deepEqual((await suspect(4, 3)).claimed, [1]);
  for (let death = 5; death < leastLosses; death += 1) await suspect(death, 1);
  assert.deepEqual(
    (await queue.jobs()).map(({ status, attempts, deaths }) => [status, attempts, deaths]),
    [
      ["pending", 0, 0],
      ["pending", 0, 0],
      ["pending", 0, 0],
    ],
  );
  assert.deepEqual(await queue.rows("select from processing_failures"), []);
  const { released } = await suspect(leastLosses, 1);
  assert.deepEqual(
    released.map(({ blockNumber, status }) => [blockNumber, status]),
    [[1, "failed"]],
  );
  assert.match((await queue.job(1)).last_error ?? "", /^16 workers died while they held this block/);
  assert.deepEqual(await queue.rows("select block_number, class from processing_failures"), [
    { block_number: 1, class: "died" },
  ]);
  // The other one that was in hand is still alone, and the third goes on.
  const [next] = await claim("vm.1.a/w99", 2);
  assert.equal(next?.blockNumber, 2);
  assert.deepEqual(
    (await claim("vm.1.a/w98", 2)).map(({ blockNumber }) => blockNumber),
    [3],
  );
});

test("only losses in a row count: a claim whose worker lives begins the count anew", async () => {
  const ends: Record<string, (token: Token) => Promise<unknown>> = {
    "given back": (token) => giveBack(queue.pool, token.workerId, [token]),
    "given back unknown": ({ workerId }) => giveBackUnknown(queue.pool, workerId, []),
    postponed: (token) =>
      postponeJob(queue.pool, {
        token,
        message: "not there yet",
        onlyAboveFinality: false,
        finalityDepth: 64,
      }),
    "failed once": (token) =>
      failJob(queue.pool, { token, message: "refused", fatal: false, maxAttempts: 9, delayMs: 0 }),
  };
  for (const [end, endClaim] of Object.entries(ends)) {
    await queue.rows("delete from processing_jobs");
    await queue.insert([1]);
    await queue.rows(`update processing_jobs set losses = ${leastLosses - 1}`);
    const [job] = await claim("vm.1.a/w1");
    assert(job !== undefined);
    await endClaim(job.token);
    await queue.rows(
      "update processing_jobs set status = 'pending', run_at = now() where status = 'scheduled'",
    );
    await claim("vm.1.a/w2");
    await releaseWorker(queue.pool, "vm.1.a/w2", { ...options, blamed: "suspects" });
    const [{ status, losses } = {}] = await queue.rows("select status, losses from processing_jobs");
    assert.deepEqual([status, losses], ["pending", 1], end);
  }
});

test("a counter of losses at its end stays there", async () => {
  await queue.insert([1]);
  await queue.rows("update processing_jobs set losses = 2147483647, deaths = 2147483647");
  assert.equal((await claim("vm.1.a/w1")).length, 1);
  await releaseWorker(queue.pool, "vm.1.a/w1", { ...options, blamed: "none" });
  assert.equal((await queue.job(1)).status, "pending");
  await claim("vm.1.a/w2");
  await releaseWorker(queue.pool, "vm.1.a/w2", { ...options, blamed: "suspects" });
  assert.equal((await queue.job(1)).status, "failed");
});

test("children that outlive their supervisor are left to give their claims back, for one sweep", async () => {
  await queue.insert([1]);
  await claim("vm.1.a/w1");
  await registerWorkers(queue.pool, [worker("vm.1.a/w1")]);
  const child = await openSession("blockmill vm.1.a/w1");
  try {
    const seenLost = new Set<string>();
    const look = async () =>
      (await sweepLostSupervisors(queue.pool, { maxDeaths: 3, thorough: false, seenLost })).released;
    assert.deepEqual(await look(), []);
    assert.deepEqual(await owners(), { 1: "vm.1.a/w1" });
    assert.equal((await look()).length, 1);
  } finally {
    await child.end().catch(() => {});
  }
});

test("a lost supervisor's claim that somebody has locked is released by a later sweep", async () => {
  await queue.insert([1]);
  await claim("vm.1.a/w1");
  await registerWorkers(queue.pool, [worker("vm.1.a/w1")]);
  await inTransaction(queue.pool, async (person) => {
    await person.query("select from processing_jobs for update");
    assert.deepEqual(await sweep(), []);
  });
  assert.equal((await sweep()).length, 1);
  assert.deepEqual(await owners(), { 1: "pending" });
  assert.deepEqual(await queue.rows("select from processing_workers"), []);
});

test("claims of a supervisor that never registered are found by a thorough sweep, after a grace", async () => {
  await queue.insert([1, 2]);
  await claim("vm.1.a/w1", 2);
  await queue.rows(
    "update processing_jobs set started_at = now() - interval '25 seconds' where block_number = 1",
  );
  assert.deepEqual(await sweep(true), []);
  await queue.rows(
    "update processing_jobs set started_at = now() - interval '31 seconds' where block_number = 1",
  );
  assert.deepEqual(await sweep(false), []);
  assert.equal((await sweep(true)).length, 2);
});

test("a supervisor that comes back waits until the sweep of its claims is through", async () => {
  await queue.insert([1]);
  await claim("vm.1.a/w1");
  await registerWorkers(queue.pool, [worker("vm.1.a/w1")]);
  const back = await openSession("blockmill-test supervisor");
  try {
    await inTransaction(queue.pool, async (tx) => {
      // What the sweep does first.
      await tx.query("select pg_advisory_xact_lock(hashtextextended('vm.1.a', 0))");
      const { rows } = await back.query(
        "select pg_try_advisory_lock(hashtextextended('vm.1.a', 0)) as taken",
      );
      assert.deepEqual(rows, [{ taken: false }]);
      // Another sweep does not do the same twice.
      assert.deepEqual(await sweep(), []);
    });
  } finally {
    await back.end();
  }
});

test("only the newest failures are kept", async () => {
  await queue.rows(
    `insert into processing_failures (job_id, block_number, attempt, class, message)
     select n, n, 1, 'retry', 'no' from generate_series(1, 25) as n order by n`,
  );
  assert.equal(await trimFailures(queue.pool, 10), 15);
  const kept = await queue.rows<{ block_number: number }>(
    "select block_number from processing_failures order by 1",
  );
  assert.deepEqual(
    kept.map(({ block_number }) => block_number),
    numbers(16, 25),
  );
  assert.equal(await trimFailures(queue.pool, 10), 0);
  assert.equal(await trimFailures(queue.pool, 0), 10);
});
