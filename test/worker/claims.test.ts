// What a worker takes from the queue, beside others who change it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type pg from "pg";
import type { Pipeline } from "../../src/pipeline/pipeline.js";
import type { ClaimedJob } from "../../src/queue/job.js";
import { Claims } from "../../src/worker/claims.js";
import { silent } from "../orchestrator/scene.js";
import { numbers, useQueue } from "../queue/queue-database.js";

const queue = useQueue();
const workerId = "host.1.a/w1";

/** Claims whose statements of a name fail where `fails` says so: before they are sent, or when their answer came. */
function scene(fails: (name: string) => "before" | "after" | undefined = () => undefined) {
  const warnings: unknown[] = [];
  const chains: number[] = [];
  const lost = () => Object.assign(new Error("Connection terminated unexpectedly"), { code: "ECONNRESET" });
  const query = async (config: string | pg.QueryConfig, values?: unknown[]) => {
    const when = typeof config === "string" ? undefined : fails(config.name ?? "");
    if (when === "before") throw lost();
    const answer = await queue.pool.query(config as pg.QueryConfig, values);
    if (when === "after") throw lost();
    return answer;
  };
  const pool = Object.assign(Object.create(queue.pool) as pg.Pool, { query });
  const endpoints = { expectChain: (id: number) => chains.push(id) };
  const log = Object.assign(Object.create(silent) as typeof silent, {
    warn: (fields: unknown) => warnings.push(fields),
  });
  return { claims: new Claims({ pool, workerId, endpoints } as unknown as Pipeline, log), warnings, chains };
}

const blocks = (jobs: readonly ClaimedJob[]) => jobs.map(({ blockNumber }) => blockNumber);
const tokens = (jobs: readonly ClaimedJob[]) => jobs.map(({ token }) => token);

test("the chain is learnt before the first claim, and asked for until somebody has followed it", async () => {
  const { claims, chains } = scene();
  await claims.claim(1, []);
  assert.equal(claims.isChainKnown, false);
  await queue.rows(
    "insert into processing_head (chain_id, head_number, head_hash, head_time) values (5, 1, sha256(''), now())",
  );
  await claims.claim(1, []);
  await claims.claim(1, []);
  assert.equal(claims.isChainKnown, true);
  assert.deepEqual(chains, [5]);
});

test("a claim goes on behind the last one, and comes back to the start where nothing is behind it", async () => {
  await queue.insert(numbers(10, 13));
  const { claims } = scene();
  const first = await claims.claim(2, []);
  assert.deepEqual(blocks(first), [10, 11]);
  await queue.insert([1]);
  assert.deepEqual(blocks(await claims.claimNext(2)), [12, 13]);
  // Behind 13 there is nothing, and a claim before its turn does not look anywhere else.
  assert.deepEqual(blocks(await claims.claim(2, tokens(first))), [1]);
});

test("there is plenty as long as claims get all that they ask for", async () => {
  await queue.insert(numbers(1, 3));
  const { claims } = scene();
  assert.equal(claims.isPlenty, false);
  await claims.claim(2, []);
  assert.equal(claims.isPlenty, true);
  await claims.claim(2, []);
  assert.equal(claims.isPlenty, false);
});

test("a claim whose answer was lost is given back before the next one, and what is in hand is kept", async () => {
  await queue.insert(numbers(1, 5));
  let claimed = 0;
  const { claims, warnings } = scene((name) => {
    if (!name.startsWith("claim")) return undefined;
    claimed += 1;
    return claimed === 2 ? "after" : undefined;
  });
  const inHand = await claims.claim(2, []);
  await assert.rejects(claims.claimNext(2), /terminated/);
  assert.equal(claims.isPlenty, false);
  assert.deepEqual(await queue.statuses(), {
    1: "processing",
    2: "processing",
    3: "processing",
    4: "processing",
    5: "pending",
  });
  assert.deepEqual(blocks(await claims.claim(1, tokens(inHand))), [3]);
  assert.deepEqual(await queue.statuses(), {
    1: "processing",
    2: "processing",
    3: "processing",
    4: "pending",
    5: "pending",
  });
  assert.deepEqual(warnings, [{ jobs: 2 }]);
});

test("what is put back is pending at once, and the next claim finds it", async () => {
  await queue.insert(numbers(1, 3));
  const { claims } = scene();
  await claims.claim(1, []);
  await claims.putBack(tokens(await claims.claimNext(1)));
  assert.equal((await queue.job(2)).status, "pending");
  assert.equal(claims.isPlenty, false);
  assert.deepEqual(blocks(await claims.claimNext(1)), [2]);
});

test("what could not be put back goes back before the next claim", async () => {
  await queue.insert(numbers(1, 3));
  const { claims } = scene((name) => (name === "give_back" ? "before" : undefined));
  const inHand = await claims.claim(1, []);
  await claims.putBack(tokens(await claims.claimNext(1)));
  assert.equal((await queue.job(2)).status, "processing");
  assert.deepEqual(blocks(await claims.claim(1, tokens(inHand))), [2]);
  assert.equal((await queue.job(2)).attempts, 1);
});

test("at the end everything goes back, also what the worker does not know of", async () => {
  await queue.insert(numbers(1, 3));
  let claimed = 0;
  const { claims } = scene((name) => {
    if (name.startsWith("claim")) claimed += 1;
    return name.startsWith("claim") && claimed === 2 ? "after" : undefined;
  });
  const inHand = await claims.claim(1, []);
  await assert.rejects(claims.claimNext(1));
  await claims.giveBackAll(tokens(inHand));
  assert.deepEqual(await queue.statuses(), { 1: "pending", 2: "pending", 3: "pending" });
  assert((await queue.jobs()).every(({ attempts }) => attempts === 0));
});
