import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints } from "../../src/chain/endpoints.js";
import { createHeadJudge } from "../../src/orchestrator/judge-heads.js";

const hash = (number: number) => `0x${number.toString(16).padStart(64, "0")}` as const;
const head = (number: number) => ({
  number,
  hash: hash(number),
  parentHash: hash(number - 1),
  timestamp: number,
});

/** A judge that believes block 100. `words`: what each endpoint says of it; `confirms`: whether a branch is confirmed. */
function setJudge({ words = [], confirms = false }: { words?: unknown[]; confirms?: boolean }) {
  let confirmations = 0;
  let asked = 0;
  const endpoints = {
    all: words.map((_, index) => ({ name: `node ${index}` })),
    async tryEach() {
      const word = words[asked];
      asked += 1;
      if (word instanceof Error) throw word;
      return word;
    },
  } as unknown as Endpoints;
  const judge = createHeadJudge({
    endpoints,
    confirmBranch: async () => {
      confirmations += 1;
      return confirms ? ({} as never) : null;
    },
    believed: { number: 100, hash: hash(100), at: performance.now() },
  });
  return { judge, confirmations: () => confirmations };
}

test("a head that is a few blocks ahead is believed without another word", async () => {
  const { judge, confirmations } = setJudge({});
  assert.equal(await judge.isCredible(head(164), "node 0"), true);
  assert.equal(confirmations(), 0);
});

test("a head that is further ahead than blocks can come must be confirmed", async () => {
  assert.equal(await setJudge({ confirms: false }).judge.isCredible(head(1_000_000_100), "node 0"), false);
  assert.equal(await setJudge({ confirms: true }).judge.isCredible(head(1_000_000_100), "node 0"), true);
});

test("a head is false when endpoints answer and none has it, not when nobody answers", async () => {
  const away = new Error("away");
  assert.equal(await setJudge({ words: [null, away] }).judge.isFalse(), true);
  assert.equal(await setJudge({ words: [{ hash: hash(100) }, null] }).judge.isFalse(), false);
  assert.equal(await setJudge({ words: [away, away] }).judge.isFalse(), false);
});
