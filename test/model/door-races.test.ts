// Two rewriters at once, that no lock but the door's keeps apart.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tx } from "../../src/db/pool.js";
import { removeStored } from "../../src/pipeline/remove-stored.js";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { followerOf, type World, workerOf } from "../orchestrator/scene.js";
import type { ScriptedChain } from "../orchestrator/scripted-chain.js";
import { waitFor } from "../support/process.js";
import { countedScene, useDoorWorld } from "./door-scene.js";
import { assertRecomputed, fold, made, refill } from "./made-dependents.js";

const door = useDoorWorld();
const { world } = door;

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
  const { chain } = await countedScene(world, { isUncounted });
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
  const meeting = door.with({
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
    const isLock = (text: unknown) => text === "select feed from processing_coverage for update";
    Object.defineProperty(client, "query", {
      configurable: true,
      value: (...args: unknown[]) =>
        isLock(args[0]) ? query("select feed from processing_coverage") : query(...args),
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
