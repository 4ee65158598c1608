import assert from "node:assert/strict";
import { test } from "node:test";
import type { Hex } from "../../src/block.js";
import type { Head } from "../../src/chain/parse/parse-head.js";
import { CanonicalView, extendView } from "../../src/orchestrator/canonical-view.js";
import { numbers } from "./scene.js";

/** Headers of a branch: equal names and numbers give equal hashes. */
function header(branch: string, number: number, parent = branch): Head {
  return { number, hash: hashOf(branch, number), parentHash: hashOf(parent, number - 1), timestamp: number };
}

function hashOf(branch: string, number: number): Hex {
  return `0x${branch.repeat(8)}${number.toString(16).padStart(56, "0")}`;
}

/** A tree of two branches: b parts from a behind block `fork`. `endpoint`: the branch that it has by number. */
function tree({ fork, endpoint = "a" }: { fork: number; endpoint?: string }) {
  const asked: string[] = [];
  const every = [
    ...numbers(0, 300).map((number) => header("a", number)),
    ...numbers(fork + 1, 300).map((number) => header("b", number, number === fork + 1 ? "a" : "b")),
  ];
  const byHash = new Map(every.map((each) => [each.hash, each]));
  const head = (branch: string, number: number) => byHash.get(hashOf(branch, number)) ?? assert.fail();
  return {
    asked,
    async fetchByHash(hash: Hex, number: number): Promise<Head> {
      asked.push(`hash ${number}`);
      const found = byHash.get(hash);
      if (found === undefined) throw new Error(`no block ${number}`);
      return found;
    },
    async fetchByNumber(wanted: number[]): Promise<Head[]> {
      asked.push(`numbers ${wanted[0]}-${wanted.at(-1)}`);
      return wanted.map((number) => head(number > fork ? endpoint : "a", number));
    },
    head,
  };
}

const viewOf = (branch: string, from: number, to: number) =>
  new CanonicalView(numbers(from, to).map((number) => header(branch, number)));

const seen = ({ headers }: CanonicalView) => headers.map(({ number, hash }) => `${hash[2]}${number}`);

test("a child of the tip is taken without a question", async () => {
  const chain = tree({ fork: 5 });
  const { view, linked } = await extendView(viewOf("a", 5, 8), {
    ...chain,
    head: chain.head("a", 9),
    lowest: 6,
  });
  assert.deepEqual([seen(view), linked, chain.asked], [["a5", "a6", "a7", "a8", "a9"], true, []]);
});

test("the first head is walked down to the lowest open block, in one round trip where it is far", async () => {
  const chain = tree({ fork: 200 });
  const { view, linked } = await extendView(new CanonicalView(), {
    ...chain,
    head: chain.head("a", 100),
    lowest: 90,
  });
  assert.deepEqual([view.tail?.number, view.tip?.number, view.headers.length, linked], [90, 100, 11, false]);
  assert.deepEqual(chain.asked, ["numbers 90-99"]);
});

test("headers that were fetched by number and are of another branch are walked by hash instead", async () => {
  const chain = tree({ fork: 96 });
  const { view } = await extendView(new CanonicalView(), {
    ...chain,
    head: chain.head("b", 100),
    lowest: 92,
  });
  assert.deepEqual(seen(view), ["a92", "a93", "a94", "a95", "a96", "b97", "b98", "b99", "b100"]);
  assert.deepEqual(chain.asked, ["numbers 92-99", "hash 99", "hash 98", "hash 97"]);
});

for (const depth of [1, 2, 5, 30]) {
  test(`a branch that parts ${depth} below the tip replaces what is above the fork, and links`, async () => {
    const fork = 100 - depth;
    const chain = tree({ fork, endpoint: "b" });
    const { view, linked } = await extendView(viewOf("a", 50, 100), {
      ...chain,
      head: chain.head("b", 101),
      lowest: 51,
    });
    assert(linked);
    assert.equal(view.hashAt(fork), hashOf("a", fork));
    assert.equal(view.hashAt(fork + 1), hashOf("b", fork + 1));
    assert.deepEqual([view.tail?.number, view.tip?.number], [50, 101]);
    assert.equal(view.from(60).tail?.number, 60);
    assert(chain.asked.length <= 8, `${chain.asked}`);
  });
}

test("a shorter branch ends the view at its own head", async () => {
  const chain = tree({ fork: 95 });
  const { view } = await extendView(viewOf("a", 90, 100), {
    ...chain,
    head: chain.head("b", 97),
    lowest: 90,
  });
  assert.deepEqual(seen(view).slice(-3), ["a95", "b96", "b97"]);
});

test("a branch that parts below the lowest open block does not link", async () => {
  const chain = tree({ fork: 80 });
  const { view, linked } = await extendView(viewOf("a", 90, 100), {
    ...chain,
    head: chain.head("b", 101),
    lowest: 91,
  });
  assert.deepEqual([linked, view.tail?.number, view.hashAt(91)], [false, 91, hashOf("b", 91)]);
});

test("a head that the view has, or an older one of it, gives the very same view", async () => {
  const chain = tree({ fork: 200 });
  const view = viewOf("a", 90, 100);
  for (const number of [100, 95]) {
    const extended = await extendView(view, { ...chain, head: chain.head("a", number), lowest: 80 });
    assert.equal(extended.view, view);
    assert(extended.linked);
  }
  assert.deepEqual(chain.asked, []);
});

test("the view never goes below the genesis", async () => {
  const chain = tree({ fork: 200 });
  const { view, linked } = await extendView(new CanonicalView(), {
    ...chain,
    head: chain.head("a", 2),
    lowest: 0,
  });
  assert.deepEqual([seen(view), linked], [["a0", "a1", "a2"], false]);
});

test("a parent more than one below is taken where the chain skips numbers, and there the view knows of no block", async () => {
  const child: Head = { ...header("a", 12), parentHash: hashOf("a", 9) };
  const source = {
    fetchByHash: async () => assert.fail(),
    fetchByNumber: async () => assert.fail(),
    head: child,
    lowest: 5,
  };
  const { view, linked } = await extendView(viewOf("a", 5, 9), { ...source, skips: true });
  assert.deepEqual([seen(view), linked], [["a5", "a6", "a7", "a8", "a9", "a12"], true]);
  assert.deepEqual(
    [9, 10, 11, 12, 13].map((number) => view.isAbsent(number)),
    [false, true, true, false, false],
  );
  assert.deepEqual([view.hashAt(10), view.hashAt(12)], [undefined, hashOf("a", 12)]);
  // Elsewhere its parent is asked for.
  const chain = { ...source, fetchByHash: async () => header("a", 11), skips: false };
  assert.equal((await extendView(viewOf("a", 5, 9), { ...chain, lowest: 11 })).linked, false);
});
