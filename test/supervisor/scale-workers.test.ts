// What the decision about the number of workers is made from, and what is done with it.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Backlog } from "../../src/queue/read-backlog.js";
import type { Child } from "../../src/supervisor/child.js";
import { scaleWorkers } from "../../src/supervisor/scale-workers.js";
import type { Observation, Scaling } from "../../src/supervisor/scaling.js";
import { useQueue } from "../queue/queue-database.js";
import { makeChild } from "./made-children.js";

const queue = useQueue();

/** Looks once. */
async function look({
  children = [],
  wanted = () => children.length,
  decided = () => children.length,
  resize = async () => {},
}: {
  children?: Child[];
  wanted?: () => number | undefined;
  decided?: (backlog: Backlog) => number;
  resize?: (workers: number) => Promise<void>;
}) {
  const end = new AbortController();
  const resized: number[] = [];
  let observed: Observation | undefined;
  let backlog: Backlog | undefined;
  const scaling = {
    async decide(seen: Observation, ask: () => Promise<Backlog>) {
      observed = seen;
      backlog = await ask();
      end.abort();
      return decided(backlog);
    },
  } as unknown as Scaling;
  await scaleWorkers({
    pool: queue.pool,
    scaling,
    children: new Set(children),
    only: { from: 1, to: 3 },
    wanted: () => {
      const workers = wanted();
      if (workers === undefined) end.abort();
      return workers;
    },
    completed: () => 42,
    resize(workers) {
      resized.push(workers);
      return resize(workers);
    },
    signal: end.signal,
  });
  return { observed, backlog, resized };
}

test("busy is who works or waits; held up is who waits or is throttled; other roles do not count", async () => {
  const { observed } = await look({
    children: [
      makeChild({ state: "working", doing: { cores: 0.9 } }),
      makeChild({ state: "working", doing: { cores: 0.3, throttled: true } }),
      makeChild({ state: "waiting" }),
      makeChild({ state: "idle" }),
      makeChild({ role: "orchestrator", state: "working", doing: { cores: 5 } }),
    ],
    wanted: () => 4,
  });
  assert(observed !== undefined);
  const { now, idleCores, coresEach, ...counted } = observed;
  assert.deepEqual(counted, { workers: 4, busy: 3, heldUp: 2, completed: 42 });
  assert.equal(coresEach.toFixed(3), "0.300");
  assert(now > 0 && idleCores >= 0);
});

test("the backlog is that of the blocks that this daemon may claim", async () => {
  await queue.insert([2, 3, 4, 5]);
  const { backlog } = await look({});
  assert.equal(backlog?.pending, 2);
});

test("the number is changed where another one is decided, and only there", async () => {
  const children = [makeChild()];
  assert.deepEqual((await look({ children, decided: () => 2 })).resized, [2]);
  assert.deepEqual((await look({ children, decided: () => 1 })).resized, []);
});

test("nothing is looked at while the number is not to be changed, and a change that fails is tried again later", async () => {
  assert.equal((await look({ wanted: () => undefined })).observed, undefined);
  const failing = () => Promise.reject(new Error("a new worker was not ready"));
  assert.deepEqual((await look({ decided: () => 7, resize: failing })).resized, [7]);
});
