import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createConfirmBranch, type ToldBranch } from "../../src/orchestrator/confirm-branch.js";
import { type ScriptedChain, scriptChain } from "./scripted-chain.js";

/** A chain at block 20, and a branch "other" that parts behind block 15 and reaches block 20. */
function fork(endpoints: number): ScriptedChain {
  const chain = scriptChain({ head: 20, endpoints, transactions: 0 });
  chain.canonical.fork({ branch: "other", depth: 5, length: 5 });
  return chain;
}

/** What node-0 would tell of the branch. */
const claim = (chain: ScriptedChain, more: Partial<ToldBranch> = {}): ToldBranch => ({
  number: 16,
  hash: chain.raw(16, "other").hash,
  tip: 20,
  toldBy: "node-0",
  ...more,
});

const confirming = (chain: ScriptedChain, stalledAfterMs = 60_000) =>
  createConfirmBranch(chain.endpoints, { secondThoughtMs: 1, answerWithinMs: 200, stalledAfterMs });

test("a second endpoint that has the branch confirms it", async () => {
  const chain = fork(3);
  chain.faults[0] = { branch: "other" };
  chain.faults[2] = { branch: "other" };
  assert.equal(await confirming(chain)(claim(chain)), "node-2");
});

test("an endpoint that stands alone against another one is not believed", async () => {
  const chain = fork(2);
  chain.faults[0] = { branch: "other" };
  assert.equal(await confirming(chain)(claim(chain)), null);
});

test("nor when it claims to be far ahead of the other one", async () => {
  const chain = fork(2);
  chain.canonical.chain.block("other", 40);
  chain.faults[0] = { branch: "other", head: 40 };
  assert.equal(await confirming(chain)(claim(chain, { tip: 40 })), null);
});

test("nor when the other one is a little behind and does not have the block yet", async () => {
  const chain = fork(2);
  chain.faults[0] = { branch: "other" };
  chain.faults[1] = { headLag: 5 };
  assert.equal(await confirming(chain)(claim(chain)), null);
});

test("an endpoint that knows better, being ahead of the branch, outvotes another that has the branch too", async () => {
  const chain = fork(3);
  chain.canonical.mine(1);
  chain.faults[0] = { branch: "other" };
  chain.faults[1] = { branch: "other" };
  assert.equal(await confirming(chain)(claim(chain)), null);
});

test("where there is no other endpoint, its own repeated word does", async () => {
  const chain = fork(1);
  chain.faults[0] = { branch: "other" };
  assert.equal(await confirming(chain)(claim(chain)), "node-0");
});

test("where there is no other endpoint, and it changes its mind, nothing is confirmed", async () => {
  const chain = fork(1);
  assert.equal(await confirming(chain)(claim(chain)), null);
});

test("others that are down, or do not answer, have no say", async () => {
  const chain = fork(3);
  chain.faults[0] = { branch: "other" };
  chain.faults[1] = { isDown: true };
  // Later than anybody waits.
  chain.beforeAnswer = async ({ endpoint }) => {
    if (endpoint === "node-2") await sleep(1_000);
  };
  chain.endpoints.tryEach = async (work, { except = [], signal } = {}) => {
    const endpoint = chain.endpoints.all.find(({ name }) => !except.includes(name)) ?? assert.fail();
    const aborted = new Promise<never>((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason)),
    );
    return Promise.race([work(endpoint, signal ?? AbortSignal.abort()), aborted]);
  };
  assert.equal(await confirming(chain)(claim(chain)), "node-0");
});

test("an endpoint that is behind and has not moved for long has no say any more, until it moves", async () => {
  const chain = fork(2);
  chain.canonical.chain.block("other", 30);
  chain.faults[0] = { branch: "other", head: 30 };
  const told = claim(chain, { tip: 30 });
  const confirm = confirming(chain, 30);
  assert.equal(await confirm(told), null);
  await sleep(40);
  chain.canonical.mine(1);
  assert.equal(await confirm(told), null);
  await sleep(40);
  assert.equal(await confirm(told), "node-0");
});
