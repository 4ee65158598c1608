import assert from "node:assert/strict";
import { test } from "node:test";
import type { Endpoints } from "../../src/chain/endpoints.js";
import { createHeadJudge } from "../../src/orchestrator/judge-heads.js";
import { waitFor } from "../support/process.js";

const hash = (number: number) => `0x${number.toString(16).padStart(64, "0")}` as const;
const head = (number: number) => ({
  number,
  hash: hash(number),
  parentHash: hash(number - 1),
  timestamp: number,
});

interface Scene {
  /** What each endpoint has at the height of the head that is judged; undefined: it does not answer. */
  words?: unknown[];
  /** The head of each; undefined: it does not answer. */
  heads?: (number | undefined)[];
  /** The endpoint that confirms a branch; null: none does. */
  confirmedBy?: string | null;
  believed?: { number: number; agoMs: number } | undefined;
}

const rpc = ({ number, hash, parentHash, timestamp }: ReturnType<typeof head>) => ({
  number: `0x${number.toString(16)}`,
  hash,
  parentHash,
  timestamp: `0x${timestamp.toString(16)}`,
});

/** A judge that believes block 100 since a moment, unless stated. */
function setJudge({ words = [], heads = [], confirmedBy = null, ...more }: Scene) {
  const { believed } = { believed: { number: 100, agoMs: 0 }, ...more };
  let confirmations = 0;
  const count = Math.max(words.length, heads.length);
  const all = Array.from({ length: count }, (_, index) => ({
    name: `node ${index}`,
    async request(_method: string, [which]: unknown[]) {
      const answer = which === "latest" ? heads[index] : words[index];
      if (answer === undefined) throw new Error("away");
      return typeof answer === "number" ? rpc(head(answer)) : answer;
    },
  }));
  const endpoints = {
    all,
    async tryEach(work: (endpoint: unknown) => unknown, { except = [] as string[] } = {}) {
      return work(all.find(({ name }) => !except.includes(name)));
    },
  } as unknown as Endpoints;
  const judge = createHeadJudge({
    endpoints,
    confirmBranch: async () => {
      confirmations += 1;
      return confirmedBy;
    },
    believed:
      believed === undefined
        ? undefined
        : { number: believed.number, hash: hash(believed.number), at: performance.now() - believed.agoMs },
  });
  return { judge, confirmations: () => confirmations };
}

const credibility = (scene: Scene, number: number) =>
  setJudge(scene).judge.isCredible(head(number), "node 0");

test("a head that is a few blocks ahead is believed without another word", async () => {
  const { judge, confirmations } = setJudge({});
  assert.equal(await judge.isCredible(head(164), "node 0"), "credible");
  assert.equal(confirmations(), 0);
});

test("a head that is further ahead than blocks can come must be confirmed; where nobody is to be asked it is doubted", async () => {
  const far = 1_000_000_100;
  assert.equal(await credibility({ confirmedBy: null }, far), "false");
  assert.equal(await credibility({ confirmedBy: "node 1" }, far), "credible");
  assert.equal(await credibility({ confirmedBy: "node 0" }, far), "unasked");
});

test("a first head far above all others' heads must be confirmed, and one among them need not", async () => {
  const fresh = { believed: undefined };
  const heads = [1_000_000_000, 400];
  assert.equal(await credibility({ ...fresh, heads }, 1_000_000_000), "false");
  assert.equal(await credibility({ ...fresh, heads, confirmedBy: "node 1" }, 1_000_000_000), "credible");
  assert.equal(await credibility({ ...fresh, heads: [464, 400] }, 464), "credible");
  assert.equal(await credibility({ ...fresh, heads: [464] }, 464), "credible");
});

test("so must the first head after a time in which nobody followed", async () => {
  const believed = { number: 100, agoMs: 86_400_000 };
  assert.equal(await credibility({ believed, heads: [900_000, 8_000] }, 900_000), "false");
  assert.equal(await credibility({ believed, heads: [8_000, 7_990] }, 8_000), "credible");
});

test("a head is false when endpoints answer and none has it, not when nobody answers", async () => {
  assert.equal(await setJudge({ words: [null, undefined] }).judge.isFalse(), "gone");
  assert.equal(await setJudge({ words: [100, null] }).judge.isFalse(), false);
  assert.equal(await setJudge({ words: [undefined, undefined] }).judge.isFalse(), false);
});

test("a head that was believed while no other endpoint answered is false when one answers far below it", async () => {
  const scene: Scene = { words: [9_000, undefined], heads: [9_000, undefined], believed: undefined };
  const { judge } = setJudge(scene);
  assert.equal(await judge.isCredible(head(9_000), "node 0"), "credible");
  judge.believe(head(9_000));
  assert.equal(await judge.isFalse(), false);
  (scene.words ?? [])[1] = null;
  (scene.heads ?? [])[1] = 400;
  // The word of before does not hold for it: it is asked again at once, or after a moment.
  await waitFor(async () => (await judge.isFalse()) === "alone", { what: "the head to be false" });
});
