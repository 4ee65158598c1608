// Heads as they come, one at a time. What becomes of each is in follow-head.test.ts.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type pg from "pg";
import type { Head } from "../../src/chain/parse/parse-head.js";
import { ConfigError } from "../../src/errors.js";
import { followChain } from "../../src/orchestrator/follow-chain.js";
import { readHead } from "../../src/queue/head.js";
import { waitFor } from "../support/process.js";
import { configOf, numbers, reorgsOf, silent, storedScene, useWorld } from "./scene.js";
import { type ScriptedChain, scriptChain } from "./scripted-chain.js";

const world = useWorld();

/** Follows a chain until the test ends. */
function follow(t: TestContext, { endpoints }: ScriptedChain, pool: pg.Pool = world.pool) {
  const end = new AbortController();
  const announced: Head[] = [];
  const done = followChain({
    pool,
    dependents: world.dependents,
    endpoints,
    config: configOf({ "chain.start_block": 0, "pipeline.check_interval": 0.05 }),
    log: silent,
    signal: end.signal,
    announce: (head) => announced.push(head),
  });
  // A test that expects its failure looks at it.
  done.catch(() => {});
  t.after(async () => {
    end.abort();
    await done.catch(() => {});
  });
  return { done, end, announced };
}

const enqueued = (head: number) =>
  waitFor(async () => Object.keys(await world.statuses()).join() === numbers(0, head).join(), {
    what: `jobs up to ${head}`,
  });

test("blocks are enqueued as the chain grows; each that follows the head before it is announced", async (t) => {
  const chain = scriptChain({ head: 5, transactions: 0 });
  const { end, done, announced } = follow(t, chain);
  await enqueued(5);
  chain.canonical.mine(1);
  await enqueued(6);
  assert.equal((await readHead(world.pool))?.chainId, 1);
  assert.deepEqual(
    announced.map(({ number }) => number),
    [6],
  );
  end.abort();
  await done;
});

test("a head that could not be worked on is worked on again", async (t) => {
  const chain = scriptChain({ head: 5, transactions: 0 });
  let failures = 0;
  const pool = new Proxy(world.pool, {
    get(target, name) {
      if (name === "connect" && failures < 2) {
        failures += 1;
        return () => Promise.reject(new Error("Connection terminated"));
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  follow(t, chain, pool);
  await enqueued(5);
  assert.equal(failures, 2);
});

test("a branch that was not confirmed is looked at again, though no new head comes", async (t) => {
  const { chain } = await storedScene(world, { endpoints: 2 });
  chain.canonical.fork({ branch: "other", depth: 3, length: 4 });
  chain.faults[0] = { branch: "other" };
  let asked = 0;
  chain.beforeAnswer = async ({ endpoint, params }) => {
    if (endpoint === "node-1" && params[0] === "0x26") asked += 1;
  };
  follow(t, chain);
  await waitFor(() => asked > 0, { what: "the second endpoint to be asked" });
  assert.deepEqual(await reorgsOf(world), []);
  chain.faults[1] = { branch: "other" };
  await waitFor(async () => (await reorgsOf(world)).length === 1, { what: "the reorg" });
});

test("endpoints of another chain than the schema's make it impossible", async (t) => {
  const { chain } = await storedScene(world);
  await world.pool.query("update processing_head set chain_id = 5");
  const { tryEach } = chain.endpoints;
  let expected: number | undefined;
  chain.endpoints.expectChain = (id) => {
    expected = id;
  };
  chain.endpoints.tryEach = (work, options) =>
    expected === undefined
      ? tryEach(work, options)
      : Promise.reject(new ConfigError(`no endpoint serves chain ${expected}`));
  await assert.rejects(follow(t, chain).done, new ConfigError("no endpoint serves chain 5"));
});
