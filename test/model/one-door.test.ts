// Everything that changes stored rows, raced: reorgs of two leaders, repairs, forced and retried blocks, removals by
// hand, refills, commits of three workers and archives, with totals, a derived table and told steps that are made of
// the rows (made-dependents.ts). At every rest these equal a recomputation; in the end, what a sequential pass over the
// canonical chain gives. Each rewriter by itself is in door-rewriters.test.ts, and two at once in door-races.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyNext, pruneFeed } from "../../src/feed/apply-next.js";
import type { PreparedBatch } from "../../src/pipeline/pipeline.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { retryJobs } from "../../src/queue/by-hand.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { promoteDue } from "../../src/queue/promote.js";
import { releaseWorker } from "../../src/queue/release.js";
import {
  assertCanonical,
  emptyTables,
  type FollowerScene,
  followerOf,
  numbers,
  type Worker,
  workerOf,
} from "../orchestrator/scene.js";
import { type ScriptedChain, scriptChain } from "../orchestrator/scripted-chain.js";
import { brokenLinks } from "../reorg/expected-rows.js";
import { type Damage, damage, repair, useDoorWorld } from "./door-scene.js";
import { assertFeed, beginFeed, createReader, type FeedReader, toldContent } from "./feed-readers.js";
import { assertRecomputed, emptyMade, fold, refill } from "./made-dependents.js";
import { extentOf } from "./seed.js";

const { world } = useDoorWorld();

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
  | { do: "remove"; from: number; blocks: number }
  | { do: "tell"; heights: number }
  | { do: "prune"; maxLag: number }
  | { do: "read"; reader: number; limit: number; dies: boolean };

type Step =
  | { do: "mine"; blocks: number }
  | { do: "reorg"; depth: number; length: number }
  | { do: "switch back"; to: number }
  | { do: "damage"; what: Damage; number: number }
  | { do: "at once"; deeds: Deed[] };

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
  { weight: 4, arbitrary: fc.record({ do: does("tell"), heights: small(20, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: does("prune"), maxLag: fc.constantFrom(3, 15, 1_000) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: does("read"),
      reader: small(2),
      limit: small(9, 1),
      dies: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
    }),
  },
);
/** A leader takes one head at a time, and a worker has one batch. */
const actor = (each: Deed): string =>
  each.do === "follow"
    ? `leader ${each.leader}`
    : "worker" in each
      ? `worker ${each.worker}`
      : each.do === "read"
        ? `reader ${each.reader}`
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
  readers: FeedReader[];
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
        await assertFeed(world.pool);
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
  await beginFeed(world.pool);
  const readers: FeedReader[] = [];
  for (const name of ["often", "seldom", "restarted"]) readers.push(await createReader(world.pool, name));
  const chain = scriptChain({ head: firstHead, transactions: 2 });
  const wanted = { "chain.finality_depth": 4, "chain.max_reorg_depth": 1_000 };
  return {
    chain,
    leaders: [0, 1].map(() => followerOf(world, chain, wanted)),
    hands: [0, 1, 2].map((i) => ({ worker: workerOf(world, chain, `w${i}.0`), batch: undefined, lives: 0 })),
    branches: ["main"],
    readers,
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
      play.isDamaged ||= await damage(world, step.what, step.number);
      return;
    case "at once":
      await Promise.all(step.deeds.map((each) => act(play, each)));
      return;
  }
}

async function act({ chain, leaders, hands, readers, isDamaged }: Play, deed: Deed): Promise<void> {
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
    case "tell":
      await applyNext(pool, deed.heights);
      return;
    case "prune":
      await pruneFeed(pool, { maxLag: deed.maxLag, limit: 10 });
      return;
    case "read":
      await readers[deed.reader]?.read({ limit: deed.limit, dies: deed.dies, isExact: !isDamaged });
      return;
  }
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
  while ((await applyNext(world.pool, 100)).heights > 0);
  const isExact = !play.isDamaged;
  for (const reader of play.readers) while ((await reader.read({ limit: 100, isExact })) > 0);
}

async function assertSequential({ chain, readers }: Play): Promise<void> {
  const all = numbers(0, chain.canonical.head.number);
  await assertFeed(world.pool);
  const told = await toldContent(world.pool);
  assert.deepEqual(
    [...told.keys()].sort((a, b) => a - b),
    all,
  );
  for (const reader of readers) assert.deepEqual(await reader.copy(), told, reader.name);
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
