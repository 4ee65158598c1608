import assert from "node:assert/strict";
import { test } from "node:test";
import type { Child } from "../../src/supervisor/child.js";
import { recycleWorkers, type WearLimits } from "../../src/supervisor/recycle-workers.js";
import { silent } from "../orchestrator/scene.js";
import { makeChild } from "./made-children.js";

const grown = { doing: { memoryMb: 600, completed: 5_000 } };

/** Looks so many times at the children. Returns those that were replaced, in order. */
async function look(
  children: Child[],
  limits: WearLimits,
  { times = 1, recycle = async () => {} }: { times?: number; recycle?: () => Promise<void> } = {},
): Promise<string[]> {
  const workers = children.filter(({ role }) => role === "worker").length;
  const replaced: string[] = [];
  const end = new AbortController();
  let asked = 0;
  await recycleWorkers({
    children: new Set(children),
    limits() {
      asked += 1;
      if (asked === times * workers) end.abort();
      return limits;
    },
    recycle(child) {
      replaced.push(child.workerId);
      return recycle();
    },
    log: silent,
    signal: end.signal,
  });
  return replaced;
}

test("a worker is replaced when it completed as many blocks as it may, or uses more memory than it may", async () => {
  const worker = makeChild(grown);
  const [many, few, large, small, none] = await Promise.all([
    look([worker], { memoryMb: 0, jobs: 5_000 }),
    look([worker], { memoryMb: 0, jobs: 5_001 }),
    look([worker], { memoryMb: 599, jobs: 0 }),
    look([worker], { memoryMb: 600, jobs: 0 }),
    look([worker], { memoryMb: 0, jobs: 0 }),
  ]);
  assert.deepEqual([many, large], [["host/w1"], ["host/w1"]]);
  assert.deepEqual([few, small, none], [[], [], []]);
});

test("a limit of memory below what a worker needs replaces it once a minute, not all the time", async () => {
  const limits = { memoryMb: 1, jobs: 0 };
  const lived = (ms: number) => makeChild({ ...grown, livedMs: () => ms });
  assert.deepEqual(await look([lived(59_999)], limits), []);
  assert.deepEqual(await look([lived(60_000)], limits), ["host/w1"]);
});

test("only workers are replaced, one at a time; one that cannot be goes on", async () => {
  const children = [
    makeChild({ ...grown, role: "orchestrator", workerId: "host/o1" }),
    makeChild(grown),
    makeChild({ ...grown, workerId: "host/w2" }),
  ];
  let under = 0;
  const recycle = async (): Promise<void> => {
    under += 1;
    assert.equal(under, 1, "one at a time");
    await new Promise(setImmediate);
    under -= 1;
    throw new Error("it does not become ready");
  };
  const replaced = await look(children, { memoryMb: 1, jobs: 1 }, { times: 2, recycle });
  assert.deepEqual(replaced, ["host/w1", "host/w2", "host/w1", "host/w2"]);
});
