// Random scripts of heads, reorgs, faults and deaths, played on the real follower, queue, pipeline and
// database inside this process. At the end of each, when everything has come to rest, the tables hold
// exactly what the chain says is canonical.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { PreparedBatch } from "../../src/pipeline/pipeline.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { promoteDue } from "../../src/queue/promote.js";
import { openRange, topUpRanges } from "../../src/queue/ranges.js";
import { releaseWorker } from "../../src/queue/release.js";
import {
  assertCanonical,
  emptyTables,
  type FollowerScene,
  followerOf,
  numbers,
  useWorld,
  type Worker,
  workerOf,
} from "../orchestrator/scene.js";
import { type ScriptedChain, scriptChain } from "../orchestrator/scripted-chain.js";
import { brokenLinks } from "../reorg/expected-rows.js";
import { type Step, stepOf } from "./script.js";
import { extentOf } from "./seed.js";

const world = useWorld();
const firstHead = 8;
const maxDepth = 6;

interface Play {
  chain: ScriptedChain;
  scene: FollowerScene;
  wanted: Record<string, unknown>;
  workers: { worker: Worker; batch: PreparedBatch | undefined; lives: number }[];
  branches: string[];
  lies: number;
  /** The last block that a lie shares with the chain. */
  lieForks: Map<string, number>;
  /** The highest head that any endpoint ever told of. */
  highest: number;
  /** Whether a follower was replaced by one that does not know what the last one saw. */
  wasReplaced: boolean;
  /** Blocks that people asked for. */
  asked: Set<number>;
}

const script = fc.record({
  endpoints: fc.integer({ min: 1, max: 3 }),
  autoEnqueue: fc.boolean(),
  finality: fc.integer({ min: 2, max: 12 }),
  steps: fc.array(stepOf({ endpoints: 3, workers: 2, maxDepth }), { minLength: 10, maxLength: 60 }),
});

test("whatever happens, the tables end up as the canonical chain, and link at every moment", async (t) => {
  const { seed, scripts } = extentOf({ scripts: 60 });
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed} BLOCKMILL_TEST_SCRIPTS=${scripts}`);
  await fc.assert(
    fc.asyncProperty(script, async ({ endpoints, autoEnqueue, finality, steps }) => {
      await emptyTables(world.pool);
      const chain = scriptChain({ head: firstHead, endpoints, transactions: 3 });
      const wanted = {
        "pipeline.auto_enqueue": autoEnqueue,
        "chain.finality_depth": finality,
        // Far more than the script can reach: halting is for tests of their own.
        "chain.max_reorg_depth": 1_000,
      };
      const play: Play = {
        chain,
        wanted,
        scene: followerOf(world, chain, wanted),
        workers: [0, 1].map((i) => ({
          worker: workerOf(world, chain, `w${i}.0`),
          batch: undefined,
          lives: 0,
        })),
        branches: ["main"],
        lies: 0,
        lieForks: new Map(),
        highest: firstHead,
        wasReplaced: false,
        asked: new Set(),
      };
      for (const step of steps) {
        await take(play, step);
        endOldLies(play, finality);
        play.highest = Math.max(play.highest, chain.canonical.head.number);
        assert.deepEqual(await world.rows(brokenLinks), []);
      }
      await comeToRest(play, finality);
      await assertAtRest(play, autoEnqueue);
    }),
    { seed, numRuns: scripts, interruptAfterTimeLimit: 240_000 },
  );
});

async function take(play: Play, step: Step): Promise<void> {
  const { chain, workers } = play;
  const { canonical } = chain;
  const faults = (endpoint: number) => endpoint % chain.faults.length;
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
    case "lag":
      chain.faults[faults(step.endpoint)] = { headLag: step.blocks };
      return;
    case "lie": {
      // Alone it would be believed, and rightly so.
      if (chain.faults.length < 2 || chain.faults.some(({ branch }) => branch != null)) return;
      play.lies += 1;
      const branch = `lie-${play.lies}`;
      const depth = Math.min(step.depth, canonical.head.number);
      const { number } = canonical.fork({ branch, depth, length: step.length });
      play.highest = Math.max(play.highest, number);
      play.lieForks.set(branch, canonical.head.number - depth);
      chain.faults[faults(step.endpoint)] = { branch };
      return;
    }
    case "down":
      chain.faults[faults(step.endpoint)] = { isDown: true };
      return;
    case "heal":
      chain.faults[faults(step.endpoint)] = {};
      return;
    case "at once":
      await Promise.all(step.steps.map((each) => take(play, each)));
      return;
    case "follow":
      await play.scene.follow(faults(step.endpoint)).catch(ignoreEndpoints);
      return;
    case "start a batch": {
      const hand = workers[step.worker];
      if (hand === undefined || hand.batch !== undefined) return;
      await promoteDue(world.pool, 1_000);
      hand.batch = await hand.worker.prepare(step.blocks);
      return;
    }
    case "commit a batch": {
      const hand = workers[step.worker];
      if (hand?.batch === undefined) return;
      await hand.worker.commit(hand.batch);
      hand.batch = undefined;
      return;
    }
    case "kill a worker": {
      const hand = workers[step.worker];
      if (hand === undefined) return;
      const { workerId } = hand.worker.pipeline;
      await releaseWorker(world.pool, workerId, { maxDeaths: 1_000, reason: "it was killed" });
      hand.batch = undefined;
      hand.lives += 1;
      hand.worker = workerOf(world, chain, workerId.replace(/\d+$/, String(hand.lives)));
      return;
    }
    case "kill the follower":
      play.scene = followerOf(world, chain, play.wanted);
      play.wasReplaced = true;
      return;
    case "archive":
      await archiveJobs(world.pool, { olderThanMs: -1, kept: 0, keepHistory: false, limit: 1_000 });
      return;
    case "ask for a block": {
      const number = Math.max(0, canonical.head.number - step.back);
      play.asked.add(number);
      await world.pool.query(
        "insert into processing_jobs (block_number) values ($1) on conflict (block_number) do nothing",
        [number],
      );
      return;
    }
    case "ask for a range": {
      const from = Math.max(0, canonical.head.number - step.back);
      const to = Math.min(canonical.head.number, from + step.blocks);
      for (const number of numbers(from, to)) play.asked.add(number);
      await openRange(world.pool, { from, to });
      await topUpRanges(world.pool, 1_000);
      return;
    }
  }
}

/** Blocks that are final are fetched by number, on one endpoint's word: a lie must not be about them. */
function endOldLies({ chain, lieForks }: Play, finality: number): void {
  const final = chain.canonical.head.number - finality;
  for (const [i, { branch }] of chain.faults.entries()) {
    if (branch != null && (lieForks.get(branch) ?? 0) < final) chain.faults[i] = {};
  }
}

/** An endpoint that is down, or on a branch that no other has: the daemon would try again. */
function ignoreEndpoints(error: unknown): void {
  if (!/is down|does not have|nobody is left/.test(String(error))) throw error;
}

/** Everything is well again, and is given the time that it needs. */
async function comeToRest(play: Play, finality: number): Promise<void> {
  const { chain, workers } = play;
  chain.faults.fill({});
  for (const hand of workers) {
    if (hand.batch !== undefined) await hand.worker.commit(hand.batch);
    hand.batch = undefined;
  }
  // A head below what is final is taken for a lagging node's; so is, by a new follower, one that is lower
  // than what is stored or asked for. And nobody asks for blocks of the future.
  const seen = play.wasReplaced ? play.highest : play.highest - finality;
  const height = Math.max(seen, ...play.asked);
  chain.canonical.mine(Math.max(1, height - chain.canonical.head.number));
  for (let rounds = 0; ; rounds += 1) {
    const { kind } = await play.scene.follow();
    await topUpRanges(world.pool, 1_000);
    const failures = await countFailures();
    const postponed = await endWaits();
    const completed = (await workers[0]?.worker.finish()) ?? 0;
    // A block that failed may be what the next look at the head is about.
    const isOver = kind === "known" && completed === 0 && postponed === 0;
    if (isOver && (await countFailures()) === failures) return;
    assert(rounds < 20, `it does not come to rest: ${kind}`);
  }
}

/** Time passes: whatever waits for a while runs now. Returns how many jobs did. */
async function endWaits(): Promise<number> {
  const rows = await world.rows(
    "update processing_jobs set run_at = now() where status = 'scheduled' and run_at < 'infinity' returning 1",
  );
  return rows.length;
}

async function countFailures(): Promise<number> {
  return (await world.rows("select from processing_failures")).length;
}

async function assertAtRest({ chain, asked }: Play, autoEnqueue: boolean): Promise<void> {
  const head = chain.canonical.head.number;
  const blocks = autoEnqueue ? numbers(0, head) : [...asked].sort((a, b) => a - b);
  // Without a head that was followed, nothing but what people asked for was enqueued.
  await assertCanonical(world, chain, blocks);
  const open = await world.rows(
    `select block_number, status, last_error from processing_jobs
     where status <> 'completed' and not (run_at = 'infinity' and block_number > $1)`,
    [head],
  );
  assert.deepEqual(open, []);
  const done = await world.rows<{ number: number }>(
    `select block_number::int as number from processing_jobs where status = 'completed'
     union
     select n::int from processing_coverage, unnest(blocks) as span, generate_series(lower(span), upper(span) - 1) as n
     order by number`,
  );
  assert.deepEqual(
    done.map(({ number }) => number),
    blocks,
    "jobs and coverage together",
  );
}
