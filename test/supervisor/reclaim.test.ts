// What a dead worker may still do: sessions of it that outlive it for a moment.

import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { claimJobs } from "../../src/queue/claim.js";
import { reclaim } from "../../src/supervisor/reclaim.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();
const options = { maxDeaths: 3, reason: "it died", signal: new AbortController().signal };

async function openSession(name: string): Promise<pg.Client> {
  const session = new pg.Client({ connectionString: queue.url, application_name: name });
  session.on("error", () => {});
  await session.connect();
  return session;
}

test("a claim that a dead worker's session is about to commit is not left behind", async () => {
  await queue.insert([1, 2]);
  const session = await openSession("blockmill vm.1.a/w1");
  await session.query("begin");
  const claimed = await claimJobs(session, { workerId: "vm.1.a/w1", limit: 2 });
  assert.equal(claimed.length, 2);

  // Nobody sees the claim yet; the worker is gone, and its session has not noticed.
  await reclaim(queue.pool, { workerId: "vm.1.a/w1", ...options });
  await session.query("commit").catch(() => {});
  await session.end().catch(() => {});
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "pending" });
});

test("the sessions of worker 10 are not taken for those of worker 1", async () => {
  const [dead, living] = await Promise.all(
    ["blockmill vm.1.a/w1 listen", "blockmill vm.1.a/w10"].map(openSession),
  );
  await reclaim(queue.pool, { workerId: "vm.1.a/w1", ...options });
  await living?.query("select 1");
  await assert.rejects(async () => dead?.query("select 1"));
  await Promise.all([dead?.end().catch(() => {}), living?.end()]);
});
