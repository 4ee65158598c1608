// Event tables while blocks come and go in any order: workers that decode and one that does not, reorgs, forced and retried
// blocks, removals, repairs, archives and two who fill, at once. Whenever all are at rest, every covered block has exactly the
// rows that viem makes of its logs; and when everything is filled, every stored block is covered.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decoderSet, readRegistry } from "../../src/decode/registry.js";
import { createEventTables } from "../../src/pipeline/event-tables.js";
import { fillEventTables } from "../../src/pipeline/fill-event-tables.js";
import type { PreparedBatch } from "../../src/pipeline/pipeline.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { retryJobs } from "../../src/queue/by-hand.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { promoteDue } from "../../src/queue/promote.js";
import { releaseWorker } from "../../src/queue/release.js";
import { apply, assertDecoded, dropAll, fillAll, fixtureEvents } from "../decode/event-scene.js";
import {
  emptyTables,
  type FollowerScene,
  followerOf,
  silent,
  useWorld,
  type Worker,
  workerOf,
} from "../orchestrator/scene.js";
import { type ScriptedChain, scriptChain } from "../orchestrator/scripted-chain.js";
import { extentOf } from "./seed.js";

const world = useWorld();
const firstHead = 12;

type Deed =
  | { do: "follow" }
  | { do: "start a batch"; worker: number; blocks: number }
  | { do: "commit a batch"; worker: number }
  | { do: "kill a worker"; worker: number }
  | { do: "archive" }
  | { do: "fill"; who: number; blocks: number }
  | { do: "force"; from: number; blocks: number }
  | { do: "remove"; from: number; blocks: number }
  | { do: "apply"; which: number };

type Step =
  | { do: "mine"; blocks: number }
  | { do: "reorg"; depth: number; length: number }
  | { do: "at once"; deeds: Deed[] };

const small = (max: number, min = 0) => fc.integer({ min, max });
const does = <D extends (Deed | Step)["do"]>(name: D) => fc.constant(name);
const span = { from: small(firstHead + 6), blocks: small(5) };
const worker = small(2);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: does("follow") }) },
  { weight: 3, arbitrary: fc.record({ do: does("start a batch"), worker, blocks: small(8, 1) }) },
  { weight: 6, arbitrary: fc.record({ do: does("commit a batch"), worker }) },
  { weight: 1, arbitrary: fc.record({ do: does("kill a worker"), worker }) },
  { weight: 2, arbitrary: fc.record({ do: does("archive") }) },
  { weight: 4, arbitrary: fc.record({ do: does("fill"), who: small(1), blocks: small(6, 1) }) },
  { weight: 3, arbitrary: fc.record({ do: does("force"), ...span }) },
  { weight: 2, arbitrary: fc.record({ do: does("remove"), ...span }) },
  { weight: 1, arbitrary: fc.record({ do: does("apply"), which: small(3) }) },
);
const actor = (each: Deed): string =>
  "worker" in each ? `worker ${each.worker}` : "who" in each ? `filler ${each.who}` : JSON.stringify(each.do);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: does("at once"),
      deeds: fc.uniqueArray(deed, { minLength: 2, maxLength: 7, selector: actor }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: does("mine"), blocks: small(3, 1) }) },
  { weight: 3, arbitrary: fc.record({ do: does("reorg"), depth: small(6, 1), length: small(8, 1) }) },
);

/** What is applied: everything, a part, and a part whose addresses change. */
const tokens = (count: number) => Array.from({ length: count }, (_, i) => `0x${String(i).padStart(40, "0")}`);
const settings = [
  fixtureEvents,
  { erc20: fixtureEvents.erc20, pair: fixtureEvents.pair },
  { ...fixtureEvents, erc721: { ...fixtureEvents.erc721, address: tokens(3) } },
  fixtureEvents,
] as (typeof fixtureEvents)[];

interface Play {
  chain: ScriptedChain;
  leader: FollowerScene;
  hands: { worker: Worker; batch: PreparedBatch | undefined; lives: number }[];
}

test("every covered block has the rows that viem makes of its logs, whoever changes blocks at once", async (t) => {
  const { seed, scripts } = extentOf({ scripts: 10, seed: 21 });
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed} BLOCKMILL_TEST_SCRIPTS=${scripts}`);
  let rows = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 25 }), async (steps) => {
      const play = await begin();
      for (const each of steps) {
        await take(play, each);
        await assertDecoded(world.pool, { isWhole: false });
      }
      await comeToRest(play);
      rows += await assertDecoded(world.pool, { isWhole: true });
    }),
    { seed, numRuns: scripts, interruptAfterTimeLimit: Math.min(scripts * 10_000, 600_000) },
  );
  assert(rows > 0);
  await dropAll(world.pool);
});

async function begin(): Promise<Play> {
  await dropAll(world.pool);
  await emptyTables(world.pool);
  await apply(world.pool, fixtureEvents);
  const chain = scriptChain({ head: firstHead, transactions: 4 });
  const wanted = { "chain.finality_depth": 4, "chain.max_reorg_depth": 1_000 };
  const hands = [];
  for (const i of [0, 1, 2]) hands.push({ worker: await hire(chain, `w${i}.0`), batch: undefined, lives: 0 });
  return { chain, leader: followerOf(world, chain, wanted), hands };
}

/** The last one does not decode. */
async function hire(chain: ScriptedChain, id: string): Promise<Worker> {
  const made = workerOf(world, chain, id);
  if (id.startsWith("w2")) return made;
  const tables = createEventTables({ pool: world.pool, log: silent });
  await tables.refresh();
  made.pipeline.eventTables = tables;
  return made;
}

async function take(play: Play, step: Step): Promise<void> {
  const { canonical } = play.chain;
  if (step.do === "mine") canonical.mine(step.blocks);
  else if (step.do === "reorg")
    canonical.reorg({ depth: Math.min(step.depth, canonical.head.number), length: step.length });
  else await Promise.all(step.deeds.map((each) => act(play, each)));
}

async function act({ chain, leader, hands }: Play, deed: Deed): Promise<void> {
  const { pool } = world;
  const head = chain.canonical.head.number;
  const spanOf = ({ from, blocks }: { from: number; blocks: number }) => ({
    from: Math.min(from, head),
    to: Math.min(from + blocks, head),
  });
  const hand = "worker" in deed ? hands[deed.worker] : undefined;
  switch (deed.do) {
    case "follow":
      await leader.follow();
      return;
    case "start a batch":
      if (hand === undefined || hand.batch !== undefined) return;
      await promoteDue(pool, 1_000);
      hand.batch = await hand.worker.prepare(deed.blocks);
      return;
    case "commit a batch": {
      const batch = hand?.batch;
      if (hand === undefined || batch === undefined) return;
      hand.batch = undefined;
      await hand.worker.commit(batch);
      return;
    }
    case "kill a worker": {
      if (hand === undefined) return;
      const { workerId } = hand.worker.pipeline;
      await releaseWorker(pool, workerId, { maxDeaths: 1_000, reason: "it was killed" });
      hand.batch = undefined;
      hand.lives += 1;
      hand.worker = await hire(chain, workerId.replace(/\d+$/, String(hand.lives)));
      return;
    }
    case "archive":
      await archiveJobs(pool, { olderThanMs: -1, kept: 0, keepHistory: false, limit: 1_000 });
      return;
    case "fill": {
      const { decoders } = await readRegistry(pool);
      // What is dropped meanwhile is refused, and tried again by the next one.
      await fillEventTables(world, decoderSet(decoders), { blocks: deed.blocks }).catch((error: unknown) => {
        assert.match(String(error), /does not exist/);
      });
      return;
    }
    case "force":
      await enqueueSeries(pool, { ...spanOf(deed), force: true });
      return;
    case "remove":
      await removeStored(world, spanOf(deed));
      return;
    case "apply":
      await apply(pool, settings[deed.which] ?? fixtureEvents);
      return;
  }
}

async function comeToRest({ chain, leader, hands }: Play): Promise<void> {
  for (const hand of hands) {
    if (hand.batch !== undefined) await hand.worker.commit(hand.batch);
    hand.batch = undefined;
  }
  const asked = await world.rows<{ number: number | null }>(
    "select max(block_number) as number from processing_jobs",
  );
  chain.canonical.mine(Math.max(1, Number(asked[0]?.number ?? 0) - chain.canonical.head.number));
  for (let rounds = 0; ; rounds += 1) {
    assert(rounds < 30, "it does not come to rest");
    const { kind } = await leader.follow();
    const to = chain.canonical.head.number;
    await retryJobs(world.pool, { from: 0, to });
    await enqueueSeries(world.pool, { from: 0, to });
    if (((await hands[0]?.worker.finish()) ?? 0) === 0 && kind === "known") break;
  }
  await fillAll(world, 5);
}
