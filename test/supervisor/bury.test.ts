// What becomes of the claims of a child that ended.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import pg from "pg";
import type { Role } from "../../src/child/roles.js";
import { Counts } from "../../src/metrics/counts.js";
import { registerWorkers } from "../../src/queue/workers.js";
import { type BuryOptions, bury } from "../../src/supervisor/bury.js";
import type { ChildExit } from "../../src/supervisor/child.js";
import { silent } from "../orchestrator/scene.js";
import { useQueue } from "../queue/queue-database.js";
import { makeChild } from "./made-children.js";

const queue = useQueue();
const workerId = "somebody/w1";

/** A worker that holds blocks 1 and 2. */
async function scene(t: TestContext, over: Partial<BuryOptions> = {}) {
  await queue.insert([1, 2], "processing");
  const row = { workerId, supervisorId: "somebody", hostname: "h", pid: 7, version: "1", state: "idle" };
  await registerWorkers(queue.pool, [{ ...row, role: "worker", doing: null }]);
  const said: string[] = [];
  const log = silent.child({});
  for (const level of ["info", "warn", "error"] as const)
    t.mock.method(log, level, (facts: object, message: string) =>
      said.push(`${message} ${JSON.stringify(facts)}`),
    );
  const options: BuryOptions = {
    pool: queue.pool,
    log,
    redact: (text) => text.replaceAll("hunter2", "[secret]"),
    counts: new Counts(),
    maxDeaths: () => 3,
    draining: new AbortController().signal,
    stopping: new AbortController().signal,
    ...over,
  };
  const end = (exit: Partial<ChildExit>, { asked = false, role = "worker" as Role } = {}) =>
    bury(options, makeChild({ role, workerId }), {
      exit: {
        ...{ code: null, signal: null, fatal: undefined, livedMs: 1, computing: "none", endpoint: undefined },
        ...exit,
      },
      asked,
    });
  return { end, said };
}

/** The blocks whose job has a death, of those that are free again. */
async function blamed(): Promise<number[]> {
  const jobs = await queue.jobs();
  assert.deepEqual([...new Set(jobs.map(({ status }) => status))], ["pending"]);
  return jobs.filter(({ deaths }) => deaths > 0).map(({ block_number }) => block_number);
}

const ends: [what: string, exit: Partial<ChildExit>, options: { asked: boolean }, blamed: number[]][] = [
  ["the block that it computed, however it died", { signal: "SIGKILL", computing: 2 }, { asked: false }, [2]],
  ["no block, where it was killed and computed none", { signal: "SIGKILL" }, { asked: false }, []],
  ["each block, where it broke by itself and computed none", { signal: "SIGSEGV" }, { asked: false }, [1, 2]],
  ["each block, where it ended by itself", { code: 1 }, { asked: false }, [1, 2]],
  ["each block, where nobody knows", { signal: "SIGKILL", computing: "unknown" }, { asked: false }, [1, 2]],
  ["no block, where it broke as it was to end anyway", { code: 1 }, { asked: true }, []],
  ["no block, where it ended in order", { code: 0 }, { asked: true }, []],
];
for (const [what, exit, options, expected] of ends) {
  test(`a worker that ends frees its claims, and the death counts for ${what}`, async (t) => {
    const { end } = await scene(t);
    await end(exit, options);
    assert.deepEqual(await blamed(), expected);
    assert.deepEqual(await queue.rows("select worker_id from processing_workers"), []);
  });
}

test("a worker that ended with code 0 without being asked to has died", async (t) => {
  const { end, said } = await scene(t);
  await end({ code: 0 });
  assert.match(said[0] ?? "", /^a worker died \(exit code 0\)/);
  assert.match(said[1] ?? "", /^released its claims .*"jobs":2/);
});

test("an orchestrator holds no claim: those of its name are nobody's business", async (t) => {
  const { end, said } = await scene(t);
  await end({ signal: "SIGKILL" }, { role: "orchestrator" });
  assert.match(said[0] ?? "", /^an orchestrator died \(SIGKILL\)/);
  assert.deepEqual(await queue.statuses(), { 1: "processing", 2: "processing" });
});

test("claims that cannot be released are left to the sweep, and the reason is said without secrets", async (t) => {
  const pool = {
    query: () => Promise.reject(new pg.DatabaseError("no right, hunter2", 1, "error")),
  } as unknown as pg.Pool;
  const { end, said } = await scene(t, { pool });
  await end({ signal: "SIGKILL" });
  assert.match(said[1] ?? "", /^its claims cannot be released .*no right, \[secret\]/);
  assert.deepEqual(await queue.statuses(), { 1: "processing", 2: "processing" });
});

/** A pool that is away for its first question. */
function awayOnce(onAsked: () => void): pg.Pool {
  let asked = 0;
  const query = (...question: Parameters<pg.Pool["query"]>) => {
    asked += 1;
    if (asked > 1) return queue.pool.query(...question);
    onAsked();
    return Promise.reject(new Error("Connection terminated"));
  };
  return { query } as unknown as pg.Pool;
}

test("what a worker left that ended in order is given back when the database is there again", async (t) => {
  const { end } = await scene(t, { pool: awayOnce(() => {}) });
  await end({ code: 0 }, { asked: true });
  assert.deepEqual(await blamed(), []);
});

test("nobody waits for that at the end", async (t) => {
  const draining = new AbortController();
  const { end } = await scene(t, { pool: awayOnce(() => draining.abort()), draining: draining.signal });
  await end({ code: 0 }, { asked: true });
  assert.deepEqual(await queue.statuses(), { 1: "processing", 2: "processing" });
});
