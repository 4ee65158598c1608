// Everything that changes stored rows, raced: reorgs of two leaders, repairs, forced and retried blocks, removals by
// hand, refills, commits of three workers and archives, with totals, a derived table and told steps that are made of
// the rows (made-dependents.ts). At every rest these equal a recomputation; in the end, what a sequential pass over the
// canonical chain gives. And a rewriter that goes around the door is found out.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import fc from "fast-check";
import { inTransaction, type Tx } from "../../src/db/pool.js";
import { dependents } from "../../src/pipeline/dependents.js";
import type { PreparedBatch } from "../../src/pipeline/pipeline.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { repairStored } from "../../src/pipeline/repair-stored.js";
import { planVerification } from "../../src/pipeline/verify-stored.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { retryJobs } from "../../src/queue/by-hand.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { lockCoverage } from "../../src/queue/lock-coverage.js";
import { promoteDue } from "../../src/queue/promote.js";
import { releaseWorker } from "../../src/queue/release.js";
import {
  archiveAll,
  assertCanonical,
  emptyTables,
  type FollowerScene,
  followerOf,
  numbers,
  useWorld,
  type Worker,
  type World,
  workerOf,
} from "../orchestrator/scene.js";
import { type ScriptedChain, scriptChain } from "../orchestrator/scripted-chain.js";
import { brokenLinks } from "../reorg/expected-rows.js";
import { waitFor } from "../support/process.js";
import { assertRecomputed, emptyMade, fold, made, makeTables, refill, toldSteps } from "./made-dependents.js";
import { extentOf } from "./seed.js";

const plain = useWorld();
const world = withDependents(plain, made);
beforeEach(() => makeTables(plain.pool));

/** The same world, for somebody who has these dependents. */
function withDependents(of: World, those: World["dependents"]): World {
  return Object.create(of, { dependents: { value: those } }) as World;
}

const firstHead = 12;

type Deed =
  | { do: "follow"; leader: number }
  | { do: "start a batch"; worker: number; blocks: number }
  | { do: "commit a batch"; worker: number }
  | { do: "kill a worker"; worker: number }
  | { do: "archive" }
  | { do: "fold" }
  | { do: "refill"; from: number; blocks: number }
  | { do: "force"; from: number; blocks: number }
  | { do: "fail and retry"; from: number; blocks: number }
  | { do: "repair" }
  | { do: "remove"; from: number; blocks: number };

type Step =
  | { do: "mine"; blocks: number }
  | { do: "reorg"; depth: number; length: number }
  | { do: "switch back"; to: number }
  | { do: "damage"; what: Damage; number: number }
  | { do: "at once"; deeds: Deed[] };

type Damage = "a value" | "logs" | "the block's row" | "every row" | "the digest";

const small = (max: number, min = 0) => fc.integer({ min, max });
const does = <D extends (Deed | Step)["do"]>(name: D) => fc.constant(name);
const number = small(firstHead + 6);
const span = { from: number, blocks: small(5) };
const worker = small(2);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: does("follow"), leader: small(1) }) },
  { weight: 3, arbitrary: fc.record({ do: does("start a batch"), worker, blocks: small(8, 1) }) },
  { weight: 6, arbitrary: fc.record({ do: does("commit a batch"), worker }) },
  { weight: 1, arbitrary: fc.record({ do: does("kill a worker"), worker }) },
  { weight: 2, arbitrary: fc.record({ do: does("archive") }) },
  { weight: 4, arbitrary: fc.record({ do: does("fold") }) },
  { weight: 1, arbitrary: fc.record({ do: does("refill"), ...span }) },
  { weight: 3, arbitrary: fc.record({ do: does("force"), ...span }) },
  { weight: 1, arbitrary: fc.record({ do: does("fail and retry"), ...span }) },
  { weight: 2, arbitrary: fc.record({ do: does("repair") }) },
  { weight: 1, arbitrary: fc.record({ do: does("remove"), ...span }) },
);
/** A leader takes one head at a time, and a worker has one batch. */
const actor = (each: Deed): string =>
  each.do === "follow"
    ? `leader ${each.leader}`
    : "worker" in each
      ? `worker ${each.worker}`
      : JSON.stringify(each);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: does("at once"),
      deeds: fc.uniqueArray(deed, { minLength: 3, maxLength: 8, selector: actor }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: does("mine"), blocks: small(3, 1) }) },
  { weight: 3, arbitrary: fc.record({ do: does("reorg"), depth: small(6, 1), length: small(8, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: does("switch back"), to: small(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: does("damage"),
      what: fc.constantFrom<Damage[]>("a value", "logs", "the block's row", "every row", "the digest"),
      number,
    }),
  },
);

interface Play {
  chain: ScriptedChain;
  leaders: FollowerScene[];
  hands: { worker: Worker; batch: PreparedBatch | undefined; lives: number }[];
  branches: string[];
  /** Somebody changed rows without the door: until they are repaired, nothing is what it should be. */
  isDamaged: boolean;
}

test("sums, derived rows and told steps are what the stored rows say, whoever changes rows at once", async (t) => {
  const { seed, scripts } = extentOf({ scripts: 12, seed: 13 });
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed} BLOCKMILL_TEST_SCRIPTS=${scripts}`);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 30 }), async (steps) => {
      const play = await begin();
      for (const each of steps) {
        await take(play, each);
        assert.deepEqual(await world.rows(brokenLinks), []);
        if (!play.isDamaged) await assertRecomputed(world.pool);
      }
      await comeToRest(play);
      await assertSequential(play);
    }),
    { seed, numRuns: scripts, interruptAfterTimeLimit: Math.min(scripts * 10_000, 600_000) },
  );
  const { rows } = await world.pool.query<{ deadlocks: string }>(
    "select deadlocks from pg_stat_database where datname = current_database()",
  );
  assert.equal(Number(rows[0]?.deadlocks), 0);
});

async function begin(): Promise<Play> {
  await emptyTables(world.pool);
  await emptyMade(world.pool);
  const chain = scriptChain({ head: firstHead, transactions: 2 });
  const wanted = { "chain.finality_depth": 4, "chain.max_reorg_depth": 1_000 };
  return {
    chain,
    leaders: [0, 1].map(() => followerOf(world, chain, wanted)),
    hands: [0, 1, 2].map((i) => ({ worker: workerOf(world, chain, `w${i}.0`), batch: undefined, lives: 0 })),
    branches: ["main"],
    isDamaged: false,
  };
}

async function take(play: Play, step: Step): Promise<void> {
  const { canonical } = play.chain;
  switch (step.do) {
    case "mine":
      canonical.mine(step.blocks);
      return;
    case "reorg": {
      const depth = Math.min(step.depth, canonical.head.number);
      play.branches.push(canonical.reorg({ depth, length: step.length }).branch);
      return;
    }
    case "switch back":
      canonical.switchTo(play.branches[step.to % play.branches.length] ?? "main");
      return;
    case "damage":
      play.isDamaged ||= await damage(step.what, step.number);
      return;
    case "at once":
      await Promise.all(step.deeds.map((each) => act(play, each)));
      return;
  }
}

async function act({ chain, leaders, hands }: Play, deed: Deed): Promise<void> {
  const { pool } = world;
  const head = chain.canonical.head.number;
  const spanOf = ({ from, blocks }: { from: number; blocks: number }) => ({
    from: Math.min(from, head),
    to: Math.min(from + blocks, head),
  });
  switch (deed.do) {
    case "follow":
      await leaders[deed.leader]?.follow();
      return;
    case "start a batch": {
      const hand = hands[deed.worker];
      if (hand === undefined || hand.batch !== undefined) return;
      await promoteDue(pool, 1_000);
      hand.batch = await hand.worker.prepare(deed.blocks);
      return;
    }
    case "commit a batch": {
      const hand = hands[deed.worker];
      const batch = hand?.batch;
      if (hand === undefined || batch === undefined) return;
      hand.batch = undefined;
      await hand.worker.commit(batch);
      return;
    }
    case "kill a worker": {
      const hand = hands[deed.worker];
      if (hand === undefined) return;
      const { workerId } = hand.worker.pipeline;
      await releaseWorker(pool, workerId, { maxDeaths: 1_000, reason: "it was killed" });
      hand.batch = undefined;
      hand.lives += 1;
      hand.worker = workerOf(world, chain, workerId.replace(/\d+$/, String(hand.lives)));
      return;
    }
    case "archive":
      await archiveJobs(pool, { olderThanMs: -1, kept: 0, keepHistory: false, limit: 1_000 });
      return;
    case "fold":
      await fold(pool);
      return;
    case "refill":
      return refill(pool, spanOf(deed));
    case "force":
      await enqueueSeries(pool, { ...spanOf(deed), force: true });
      return;
    case "fail and retry": {
      const { from, to } = spanOf(deed);
      await pool.query(
        `update processing_jobs set status = 'failed', completed_at = null
         where block_number = any (array(
           select block_number from processing_jobs
           where block_number between $1 and $2 and status in ('pending', 'completed') order by 1 for update skip locked))`,
        [from, to],
      );
      await retryJobs(pool, { from, to });
      return;
    }
    case "repair":
      await repair(world);
      return;
    case "remove":
      await removeStored({ pool, dependents: world.dependents }, spanOf(deed));
      return;
  }
}

/** `verify --repair`. Returns how much it found. */
async function repair({ pool, dependents }: World): Promise<number> {
  let findings = 0;
  const plan = await planVerification({ pool, span: null, recoverSenders: false });
  for await (const batch of plan.run()) {
    findings += batch.findings.length;
    await repairStored({ pool, dependents }, batch.findings);
  }
  return findings;
}

/** Changes rows as a person may in psql, who holds off everybody else. Returns whether anything changed. */
async function damage(what: Damage, number: number): Promise<boolean> {
  const statements: Record<Damage, string[]> = {
    "a value": ["update transactions set value = value + 1 where block_number = $1"],
    logs: ["delete from logs where block_number = $1"],
    "the block's row": ["delete from blocks where number = $1"],
    "every row": ["transactions", "logs", "withdrawals", "token_transfers"]
      .map((table) => `delete from ${table} where block_number = $1`)
      .concat("delete from blocks where number = $1"),
    "the digest": ["update blocks set digest = null where number = $1"],
  };
  return inTransaction(world.pool, async (tx) => {
    await lockCoverage(tx);
    let changed = 0;
    for (const statement of statements[what]) changed += (await tx.query(statement, [number])).rowCount ?? 0;
    return changed > 0;
  });
}

async function comeToRest(play: Play): Promise<void> {
  const { chain, hands, leaders } = play;
  for (const hand of hands) {
    if (hand.batch !== undefined) await hand.worker.commit(hand.batch);
    hand.batch = undefined;
  }
  // A head below what is final is taken for a lagging node's, and nobody asks for blocks of the future.
  const asked = await world.rows<{ number: number | null }>(
    "select max(block_number) as number from processing_jobs",
  );
  chain.canonical.mine(Math.max(1, Number(asked[0]?.number ?? 0) - chain.canonical.head.number));
  for (let rounds = 0; ; rounds += 1) {
    assert(rounds < 30, "it does not come to rest");
    const kinds = [];
    for (const leader of leaders) kinds.push((await leader.follow()).kind);
    const to = chain.canonical.head.number;
    await retryJobs(world.pool, { from: 0, to });
    // What was removed is asked for again.
    await enqueueSeries(world.pool, { from: 0, to });
    const completed = (await hands[0]?.worker.finish()) ?? 0;
    const findings = await repair(world);
    if (findings === 0 && completed === 0 && kinds.every((kind) => kind === "known")) break;
  }
  while (await fold(world.pool, 100));
}

async function assertSequential({ chain }: Play): Promise<void> {
  const all = numbers(0, chain.canonical.head.number);
  await assertCanonical(world, chain, all);
  await assertRecomputed(world.pool);
  const failures = await world.rows("select message from processing_failures where message ~ 'deadlock'");
  assert.deepEqual(failures, []);
  // What a pass over the chain, block after block, gives.
  const totals = new Map<string, bigint>();
  let paid = 0n;
  for (const number of all) {
    const { block, receipts } = chain.raw(number);
    for (const [i, { to, value }] of (
      block.transactions as { to: string | null; value: string }[]
    ).entries()) {
      const recipient = (to ?? "0x").slice(2).toLowerCase();
      totals.set(recipient, (totals.get(recipient) ?? 0n) + BigInt(value));
      const { gasUsed, effectiveGasPrice = "0x0" } = receipts[i] as Record<string, string>;
      paid += BigInt(gasUsed ?? 0) * BigInt(effectiveGasPrice);
    }
  }
  const received = await world.rows<{ key: string; total: string }>(
    "select encode(recipient, 'hex') as key, total::text from made_received order by 1",
  );
  assert.deepEqual(
    received.map(({ key, total }) => [key, BigInt(total)]),
    [...totals].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  assert.deepEqual(await world.rows("select total::text from made_paid"), [{ total: String(paid) }]);
  assert.deepEqual(
    (
      await world.rows<{ hash: string }>(
        "select '0x' || encode(hash, 'hex') as hash from told_chain order by number",
      )
    ).map(({ hash }) => hash),
    all.map((number) => chain.raw(number).hash),
  );
}

/** Blocks 0 to the head are stored, archived, summed and told; some were damaged before they were counted. */
async function countedScene({
  head = 12,
  damaged,
  isUncounted = false,
}: {
  head?: number;
  damaged?: [Damage, number];
  isUncounted?: boolean;
} = {}) {
  const chain = scriptChain({ head, transactions: 2 });
  const wanted = { "chain.max_reorg_depth": 1_000 };
  await followerOf(world, chain, wanted).follow();
  await workerOf(world, chain, "first").finish();
  await archiveAll(world);
  if (damaged !== undefined) await damage(...damaged);
  while (!isUncounted && (await fold(world.pool, 100)));
  await assertRecomputed(world.pool);
  const before = (await toldSteps(world.pool)).length;
  const told = async () =>
    (await toldSteps(world.pool)).slice(before).map(({ kind, number }) => `${kind} ${number}`);
  return { chain, wanted, told };
}

interface Rewriter {
  damaged?: [Damage, number];
  rewrite(chain: ScriptedChain, by: World): Promise<unknown>;
}

/** Each way to change stored rows, by somebody whose world is `by`. */
const rewriters: Record<string, Rewriter> = {
  "a reorg": {
    async rewrite(chain, by) {
      chain.canonical.reorg({ depth: 3, length: 4 });
      await followerOf(by, chain, { "chain.max_reorg_depth": 1_000 }).follow();
    },
  },
  "a forced block": {
    damaged: ["a value", 5],
    rewrite: (_chain, by) => enqueueSeries(by.pool, { from: 5, to: 5, force: true }),
  },
  "a retry of a stored block": {
    damaged: ["logs", 5],
    async rewrite(_chain, by) {
      await by.rows("insert into processing_jobs (block_number, status) values (5, 'failed')");
      await retryJobs(by.pool, { from: 5, to: 5 });
    },
  },
  "a repair of a wrong block": { damaged: ["a value", 5], rewrite: (_chain, by) => repair(by) },
  "a repair of a block that is gone": {
    async rewrite(_chain, by) {
      await damage("every row", 5);
      await repair(by);
    },
  },
  "a repair of rows without a block": {
    async rewrite(_chain, by) {
      await damage("the block's row", 5);
      await repair(by);
    },
  },
  "a removal by hand": { rewrite: (_chain, by) => removeStored(by, { from: 4, to: 8 }) },
};

for (const [name, { damaged, rewrite }] of Object.entries(rewriters)) {
  const play = async (by: World): Promise<void> => {
    const { chain } = await countedScene(damaged === undefined ? {} : { damaged });
    await rewrite(chain, by);
    await assertRecomputed(world.pool);
    await workerOf(by, chain, "second").finish();
    await assertRecomputed(world.pool);
  };

  test(`${name}: sums, derived rows and told steps follow`, () => play(world));

  test(`${name}: it is found out where it goes around the door`, () =>
    assert.rejects(play(withDependents(plain, dependents)), { code: "ERR_ASSERTION" }));
}

interface Race {
  /** Blocks whose sums are not counted yet. */
  isUncounted?: boolean;
  /** Begins what is slow, and returns what is raced: both change what is made of the same blocks. */
  prepare(chain: ScriptedChain, by: World): Promise<[() => Promise<unknown>, () => Promise<unknown>]>;
}

const removal = (by: World) => () => removeStored(by, { from: 4, to: 11 });
const refilled = (by: World) => () => refill(by.pool, { from: 4, to: 11 }, by.dependents);
const forced = async (chain: ScriptedChain, by: World) => {
  await enqueueSeries(world.pool, { from: 4, to: 11, force: true });
  const worker = workerOf(by, chain, "second");
  const batch = await worker.prepare();
  return () => worker.commit(batch);
};

/** Pairs that no lock but the door's keeps apart: none of them has jobs that the other locks. */
const races: Record<string, Race> = {
  "two removals": { prepare: async (_chain, by) => [removal(by), removal(by)] },
  "a removal and a reorg": {
    async prepare(chain, by) {
      chain.canonical.reorg({ depth: 3, length: 4 });
      const { follow } = followerOf(by, chain, { "chain.max_reorg_depth": 1_000 });
      return [removal(by), () => follow()];
    },
  },
  "a removal and a refill": { prepare: async (_chain, by) => [removal(by), refilled(by)] },
  "two refills": { prepare: async (_chain, by) => [refilled(by), refilled(by)] },
  "a forced block and a refill": {
    prepare: async (chain, by) => [await forced(chain, by), refilled(by)],
  },
  "a removal and what counts": {
    isUncounted: true,
    prepare: async (_chain, by) => [removal(by), () => fold(world.pool, 100)],
  },
  "a forced block and what counts": {
    isUncounted: true,
    prepare: async (chain, by) => [await forced(chain, by), () => fold(world.pool, 100)],
  },
};

/**
 * Runs both at once. Each that has read what it takes away waits there until the other is as far; and when it has
 * written it, until the other is about to write the same, and waits for it. So both go by what was there before. Neither
 * waits for one that waits for a lock, or is done.
 */
async function race(
  { isUncounted = false, prepare }: Race,
  { hasDoor }: { hasDoor: boolean },
): Promise<void> {
  const { chain } = await countedScene({ isUncounted });
  let arrived = 0;
  let done = 0;
  const meet = async (): Promise<void> => {
    arrived += 1;
    await waitFor(async () => arrived + done >= 2 || (await isWaiting()), { what: "the other rewriter" });
  };
  const untilOtherWaits = (): Promise<unknown> =>
    waitFor(async () => done > 0 || (await isWaiting()), {
      what: "the other rewriter to wait or to be done",
    });
  const meeting = withDependents(plain, {
    ...made,
    // The one row of fees first: totals by recipient may come to nothing and go, with what two take away of them.
    sums: made.sums.toReversed().map((sum) => ({
      ...sum,
      takeAway: (tx, taken) => sum.takeAway(aroundFirst("update made_", tx, [meet, untilOtherWaits]), taken),
    })),
  });
  const raced = await prepare(chain, hasDoor ? meeting : withoutDoorLock(meeting));
  const outcomes = await Promise.allSettled(
    raced.map((each) =>
      each().finally(() => {
        done += 1;
      }),
    ),
  );
  assert.deepEqual(
    outcomes.filter(({ status }) => status === "rejected"),
    [],
  );
  await assertRecomputed(world.pool);
}

const isWaiting = async (): Promise<boolean> =>
  (
    await world.rows(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
  ).length > 0;

/** A client that waits before the first statement that begins so, and behind it. */
function aroundFirst(
  beginning: string,
  tx: Tx,
  [before, behind]: readonly [() => Promise<unknown>, () => Promise<unknown>],
): Tx {
  let waited = false;
  return Object.create(tx, {
    query: {
      async value(...args: Parameters<Tx["query"]>) {
        if (waited || !String(args[0]).startsWith(beginning)) return tx.query(...args);
        waited = true;
        await before();
        const result = await tx.query(...args);
        await behind();
        return result;
      },
    },
  }) as Tx;
}

/** The same world, for somebody whose changeRows does not lock the coverage. */
function withoutDoorLock(of: World): World {
  const connect = async (): Promise<Tx> => {
    const client = await of.pool.connect();
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    const isLock = (text: unknown) => text === "select from processing_coverage for update";
    Object.defineProperty(client, "query", {
      configurable: true,
      value: (...args: unknown[]) =>
        isLock(args[0]) ? query("select from processing_coverage") : query(...args),
    });
    const release = client.release.bind(client);
    client.release = (error) => {
      Reflect.deleteProperty(client, "query");
      release(error);
    };
    return client;
  };
  const pool = Object.create(of.pool, { connect: { value: connect } }) as World["pool"];
  return Object.create(of, { pool: { value: pool } }) as World;
}

for (const [name, pair] of Object.entries(races)) {
  test(`${name}, at once: sums, derived rows and told steps follow`, () => race(pair, { hasDoor: true }));

  test(`${name}, at once: it is found out where the door has no lock`, () =>
    assert.rejects(race(pair, { hasDoor: false }), { code: "ERR_ASSERTION" }));
}

test("readers are told of a deep reorg block by block from the top down, over several transactions", async () => {
  const { chain, wanted, told } = await countedScene({ head: 160 });
  chain.canonical.reorg({ depth: 140, length: 141 });
  await followerOf(world, chain, wanted).follow();
  assert.deepEqual(
    await told(),
    numbers(21, 160)
      .reverse()
      .map((number) => `revert ${number}`),
  );
  await assertRecomputed(world.pool);
});

test("a block that is written again with the same rows is no news; with other rows it is", async () => {
  const { chain, told } = await countedScene();
  await enqueueSeries(world.pool, { from: 3, to: 6, force: true });
  await damage("a value", 5);
  await workerOf(world, chain, "second").finish();
  assert.deepEqual(await told(), ["rewrite 5"]);
});

test("a removal takes blocks from the queue and the coverage, and what readers were told above them", async () => {
  const { chain, told } = await countedScene();
  await enqueueSeries(world.pool, { from: 6, to: 7, force: true });
  assert.equal(await removeStored(world, { from: 5, to: 8 }), 4);
  assert.deepEqual(await world.rows("select blocks::text from processing_coverage"), [
    { blocks: "{[0,5),[9,13)}" },
  ]);
  assert.deepEqual(await world.statuses(), { 6: "pending", 7: "pending" });
  assert.deepEqual(
    await told(),
    [12, 11, 10, 9, 8, 7, 6, 5].map((number) => `revert ${number}`),
  );
  await assertCanonical(world, chain, [...numbers(0, 4), ...numbers(9, 12)]);
});
