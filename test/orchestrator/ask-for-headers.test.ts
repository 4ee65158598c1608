// Who is asked for headers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BlockNotFoundError, EndpointUnavailableError } from "../../src/errors.js";
import { askForHeaders } from "../../src/orchestrator/ask-for-headers.js";
import { scriptChain } from "./scripted-chain.js";

/** A chain up to block 20, and the names of those that were asked, in order. */
function scene(endpoints: number) {
  const chain = scriptChain({ head: 20, endpoints, transactions: 0 });
  const asked: string[] = [];
  chain.beforeAnswer = async ({ endpoint }) => void asked.push(endpoint);
  return { chain, asked };
}

test("who told of the head is asked first, and alone where it answers", async () => {
  const { chain, asked } = scene(3);
  const source = askForHeaders(chain.endpoints, "node-1");
  const { hash } = chain.raw(7);
  assert.equal((await source.fetchByHash(hash, 7)).number, 7);
  assert.equal((await source.headerAt(7)).hash, hash);
  const several = await source.fetchByNumber([5, 6]);
  assert.deepEqual(
    several.map(({ number }) => number),
    [5, 6],
  );
  assert.deepEqual(new Set(asked), new Set(["node-1"]));
});

test("where it fails, another is asked, and not itself again", async () => {
  const { chain, asked } = scene(2);
  chain.faults[1] = { isDown: true };
  const { headerAt } = askForHeaders(chain.endpoints, "node-1");
  assert.equal((await headerAt(7)).number, 7);
  assert.deepEqual(asked, ["node-1", "node-0"]);
});

test("where it is the only one, its own error is told", async () => {
  const { chain, asked } = scene(1);
  chain.faults[0] = { isDown: true };
  await assert.rejects(askForHeaders(chain.endpoints, "node-0").headerAt(7), EndpointUnavailableError);
  assert.deepEqual(asked, ["node-0"]);
});

test("where it is none of ours, anybody is asked", async () => {
  const { chain } = scene(2);
  assert.equal((await askForHeaders(chain.endpoints, "gone").headerAt(7)).number, 7);
});

test("a number that nobody has is an error that names the endpoint and the block", async () => {
  const { chain } = scene(1);
  await assert.rejects(
    askForHeaders(chain.endpoints, "node-0").headerAt(21),
    (error) =>
      error instanceof BlockNotFoundError && error.facts.endpoint === "node-0" && error.facts.block === 21,
  );
});

test("walking down gives the ancestors from the lowest on, by their parents' hashes", async () => {
  const { chain } = scene(1);
  chain.canonical.fork({ branch: "other", depth: 5, length: 5 });
  chain.faults[0] = { branch: "other" };
  const source = askForHeaders(chain.endpoints, "node-0");
  const top = await chain.headOf(0);
  // What is canonical at a number is another branch's meanwhile.
  chain.faults[0] = {};
  assert.deepEqual(
    (await source.walkDown(top, 14)).map(({ number, hash }) => [number, hash]),
    [14, 15, 16, 17, 18, 19, 20].map((number) => [
      number,
      chain.raw(number, number > 15 ? "other" : "main").hash,
    ]),
  );
});
