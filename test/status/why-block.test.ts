// Why a block is where it is: each state is reached by what the queue's own statements make, or a person by psql.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import { describeJobHolder } from "../../src/db/lock-waits.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { cancelJobs } from "../../src/queue/by-hand.js";
import { claimJobs } from "../../src/queue/claim.js";
import { failJob } from "../../src/queue/fail.js";
import { pauseWork, resumeWork } from "../../src/queue/pause.js";
import { postponeJob } from "../../src/queue/postpone.js";
import { openRange } from "../../src/queue/ranges.js";
import { readBlockRuns } from "../../src/queue/read-block-state.js";
import { tellWhy } from "../../src/status/tell-why.js";
import { type BlockState, blockStates, whyBlock } from "../../src/status/why-block.js";
import { forgetRows, storedScene, useWorld } from "../orchestrator/scene.js";

const world = useWorld();
const { rows } = world;
/** Sessions of others, made when they are first asked for: one that holds the lease of the host h, one of a person. */
const sessions = new Map<string, Promise<pg.Client>>();
function session(name: string): Promise<pg.Client> {
  const open = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: world.url, application_name: name });
    client.on("error", () => {});
    await client.connect();
    return client;
  };
  const found = sessions.get(name) ?? open();
  sessions.set(name, found);
  return found;
}
const person = () => session("a person's psql");
const host = async () =>
  (await session("blockmill h lease")).query("select pg_advisory_lock(hashtextextended('h', 0))");
after(async () => {
  for (const each of sessions.values()) await (await each).end();
});

const sql = (statement: string) => async () => {
  await world.pool.query(statement);
};
const worker = (doing: object = {}) =>
  sql(`insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
    values ('h/w1', 'h', 'worker', 'mill1', 1, '1', 'working', '${JSON.stringify(doing)}')`);
const insert = (block: number) => sql(`insert into processing_jobs (block_number) values (${block})`);

async function claimOne(block: number, workerId = "h/w1") {
  await insert(block)();
  const [job] = await claimJobs(world.pool, { workerId, limit: 1, only: { from: block, to: block } });
  return job ?? assert.fail();
}

async function failOne(block: number, maxAttempts: number): Promise<void> {
  const { token } = await claimOne(block);
  await failJob(world.pool, {
    token,
    message: "HTTP status 500",
    fatal: false,
    maxAttempts,
    delayMs: 60_000,
    endpoint: "node-a",
  });
}

interface Way {
  begin(): Promise<unknown>;
  block: number;
  says: RegExp;
  end?(): Promise<unknown>;
}

/** On a chain whose blocks 0 to 40 are stored, and followed. */
const ways: Record<BlockState["state"], Way> = {
  stored: {
    begin: async () => {},
    block: 7,
    says: /^stored in .* at \d{4}-.* UTC by a\/w1, from node-0\. Proven: .*receiptsRoot/,
  },
  archived: {
    begin: () => archiveJobs(world.pool, { olderThanMs: -1, kept: 0, keepHistory: true, limit: 1_000 }),
    block: 7,
    says: /^stored in .* by a\/w1, from node-0\. Its job is archived\. Proven: /,
  },
  absent: {
    async begin() {
      await sql(`update processing_jobs set result = '{"absent": true}' where block_number = 7`)();
      await forgetRows(world, 7);
    },
    block: 7,
    says: /^the chain has no block at this number/,
  },
  "rows missing": {
    begin: () => forgetRows(world, 7),
    block: 7,
    says: /its rows are gone.*blockmill verify 7 --repair/,
  },
  "rows without a job": {
    begin: sql("delete from processing_jobs where block_number = 7"),
    block: 7,
    says: /no job tells of it.*blockmill verify 7/,
  },
  "not asked for": {
    begin: sql("update processing_head set head_number = 100"),
    block: 90,
    says: /nobody asked for it\. Fetch it: blockmill enqueue 90/,
  },
  "beyond the head": { begin: async () => {}, block: 50, says: /the chain is at 40: .*fetched by itself/ },
  "waits for the head": {
    async begin() {
      const { token } = await claimOne(60);
      const message = "node-a does not have block 60";
      assert(await postponeJob(world.pool, { token, message, onlyAboveFinality: false, finalityDepth: 64 }));
    },
    block: 60,
    says: /waits until the chain, which is at 40, gets there/,
  },
  "in a range": {
    begin: () => openRange(world.pool, { from: 1_000, to: 2_000 }),
    block: 1_500,
    says: /range \d+ will make a job of it: 500 blocks of the range come before it, from 1000 on/,
  },
  paused: {
    async begin() {
      await insert(41)();
      await pauseWork(world.pool, "a new disk");
    },
    block: 41,
    says: /paused for .* by \w+ on \S+ \(a new disk\)\. Go on: blockmill resume/,
    end: () => resumeWork(world.pool),
  },
  "held by a lock": {
    async begin() {
      await insert(41)();
      await (await person()).query("begin");
      await (await person()).query("select from processing_jobs where block_number = 41 for update");
    },
    block: 41,
    says: /claims pass over it, .*held by .*a person's psql.*pg_terminate_backend/,
    end: async () => (await person()).query("rollback"),
  },
  "no worker": { begin: insert(41), block: 41, says: /no worker lives/ },
  "endpoints down": {
    async begin() {
      await insert(41)();
      await worker({ endpoints: [{ name: "node-a", state: "resting", reason: "node-a: HTTP 503" }] })();
    },
    block: 41,
    says: /no endpoint answers: node-a: HTTP 503/,
  },
  waiting: {
    async begin() {
      await worker({ endpoints: [{ name: "node-a", state: "up" }] })();
      await insert(41)();
      await insert(42)();
    },
    block: 42,
    says: /waits for .* behind 1 job \(priority 0\)/,
  },
  parked: {
    begin: sql("insert into processing_jobs (block_number, run_at) values (41, 'infinity')"),
    block: 41,
    says: /somebody parked it/,
  },
  orphaned: {
    begin: sql(
      "insert into processing_jobs (block_number, status, run_at, suspended) values (41, 'scheduled', 'infinity', true)",
    ),
    block: 41,
    says: /a reorg dropped it/,
  },
  delayed: {
    begin: sql("insert into processing_jobs (block_number, run_at) values (41, now() + interval '1 hour')"),
    block: 41,
    says: /it may be claimed in (59 min|1 h)/,
  },
  retrying: {
    begin: () => failOne(39_000, 3),
    block: 39_000,
    says: /attempt 1 failed at node-a: HTTP status 500\. It is tried again in .*(s|min)/,
  },
  "not there yet": {
    async begin() {
      await world.pool.query("delete from processing_jobs where block_number = 7");
      await forgetRows(world, 7);
      const { token } = await claimOne(7);
      const message = "node-a does not have block 7";
      await postponeJob(world.pool, { token, message, onlyAboveFinality: false, finalityDepth: 64 });
    },
    block: 7,
    says: /\(1 look\): node-a does not have block 7; waiting\. It is looked for again in/,
  },
  claimed: {
    async begin() {
      await worker()();
      await claimOne(41);
    },
    block: 41,
    says: /h\/w1 on mill1 has it for .* \(attempt 1; the worker is working\)/,
  },
  "claimed by a lost host": {
    begin: () => claimOne(41, "gone.1.abc/w1"),
    block: 41,
    says: /gone\.1\.abc\/w1 claimed it .* its host is lost/,
  },
  failed: {
    begin: () => failOne(41, 1),
    block: 41,
    says: /failed for good after 1 attempt, last at node-a: HTTP status 500\. .*blockmill retry 41/,
  },
  cancelled: {
    async begin() {
      await insert(41)();
      await cancelJobs(world.pool, { from: 41, to: 41 });
    },
    block: 41,
    says: /somebody cancelled it/,
  },
};

for (const state of blockStates) {
  const { begin, block, says, end } = ways[state];
  test(`a block that is ${state}`, async () => {
    await rows("truncate processing_workers");
    await host();
    await storedScene(world);
    await begin();
    const why = await whyBlock(world.pool, block).finally(() => end?.());
    assert.equal(why.state, state, JSON.stringify(why));
    assert.match(tellWhy(block, why), says);
  });
}

test("who locked a job is not told where nobody has", async () => {
  await insert(41)();
  assert.equal(await describeJobHolder(world.pool, 41), null);
});

test("of many blocks each run of one kind is told", async () => {
  await storedScene(world);
  await sql("update processing_jobs set completed_at = now() - interval '1 day' where block_number <= 20")();
  await archiveJobs(world.pool, { olderThanMs: 3_600_000, kept: 1_000, keepHistory: false, limit: 1_000 });
  await openRange(world.pool, { from: 45, to: 47 });
  await insert(42)();
  await failOne(43, 1);
  const runs = await readBlockRuns(world.pool, { from: 0, to: 50, limit: 100 });
  assert.deepEqual(
    runs.map(({ from, to, kind }) => `${from}-${to} ${kind}`),
    [
      "0-20 archived",
      "21-40 completed",
      "41-41 beyond",
      "42-42 pending",
      "43-43 failed",
      "44-44 beyond",
      "45-47 range",
      "48-50 beyond",
    ],
  );
  assert.equal((await readBlockRuns(world.pool, { from: 0, to: 50, limit: 2 })).length, 2);
});

test("numbers without a block are told as such, archived or not, and are not those that are not there yet", async () => {
  await storedScene(world);
  await sql(`update processing_jobs set result = '{"absent": true}' where block_number in (7, 30)`)();
  await sql("update processing_jobs set completed_at = now() - interval '1 day' where block_number <= 20")();
  await archiveJobs(world.pool, { olderThanMs: 3_600_000, kept: 1_000, keepHistory: false, limit: 1_000 });
  for (const block of [7, 30]) {
    await forgetRows(world, block);
    assert.deepEqual(await whyBlock(world.pool, block), { state: "absent", archived: block === 7 });
  }
  const { token } = await claimOne(41);
  await postponeJob(world.pool, { token, message: "not found", onlyAboveFinality: false, finalityDepth: 64 });
  const runs = await readBlockRuns(world.pool, { from: 5, to: 41, limit: 100 });
  assert.deepEqual(
    runs.map(({ from, to, kind }) => `${from}-${to} ${kind}`),
    [
      "5-6 archived",
      "7-7 absent",
      "8-20 archived",
      "21-29 completed",
      "30-30 absent",
      "31-40 completed",
      "41-41 not there yet",
    ],
  );
});
