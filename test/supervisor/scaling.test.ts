import assert from "node:assert/strict";
import { test } from "node:test";
import { workerBounds } from "../../src/config/workers.js";
import { Scaling } from "../../src/supervisor/scaling.js";

/** Plays seconds of a daemon's life on a made-up machine. Returns the number of workers after each. */
async function play(
  scaling: Scaling,
  {
    seconds,
    workers = 1,
    from = 0,
    rate = (each: number) => each * 10,
    busy = (each: number) => each,
    heldUp = () => 0,
    idleCores = 1,
    backlog = { pending: 5_000, oldestMs: 0 },
  }: {
    seconds: number;
    workers?: number;
    from?: number;
    rate?: (workers: number) => number;
    busy?: (workers: number, second: number) => number;
    heldUp?: (workers: number) => number;
    idleCores?: number;
    backlog?: { pending: number; oldestMs: number };
  },
): Promise<{ workers: number[]; asked: number }> {
  const seen: number[] = [];
  let completed = 0;
  let now = workers;
  let asked = 0;
  for (let second = from; second < from + seconds; second += 1) {
    completed += rate(now);
    const observation = { now: second * 1_000, workers: now, completed, idleCores, coresEach: 0.8 };
    now = await scaling.decide({ ...observation, busy: busy(now, second), heldUp: heldUp(now) }, async () => {
      asked += 1;
      return backlog;
    });
    seen.push(now);
  }
  return { workers: seen, asked };
}

/** How often the number changed. */
const changes = (seen: number[]): number => seen.filter((each, i) => i > 0 && each !== seen[i - 1]).length;

test("while jobs wait and each worker adds to the rate, workers come one at a time up to the most", async () => {
  const { workers } = await play(new Scaling({ min: 1, max: 4 }), { seconds: 60 });
  assert.equal(workers.at(-1), 4);
  assert.equal(changes(workers), 3);
  assert.equal(Math.max(...workers), 4);
});

test("a worker that adds nothing goes again, and is not tried again for minutes", async () => {
  const { workers } = await play(new Scaling({ min: 1, max: 8 }), {
    seconds: 240,
    rate: (each) => Math.min(each, 3) * 10,
  });
  assert.equal(workers.at(-1), 3);
  assert.equal(Math.max(...workers), 4);
  assert.equal(changes(workers), 4);
});

test("no worker comes while the machine is full, or something holds the others up, or nothing waits", async () => {
  const bounds = { min: 1, max: 8 };
  for (const still of [{ idleCores: 0.3 }, { heldUp: () => 1 }, { backlog: { pending: 3, oldestMs: 200 } }]) {
    const { workers } = await play(new Scaling(bounds), { seconds: 60, ...still });
    assert.equal(workers.at(-1), 1, JSON.stringify(still));
  }
  const old = await play(new Scaling(bounds), { seconds: 60, backlog: { pending: 3, oldestMs: 20_000 } });
  assert(old.workers.at(-1) === 8, "few jobs that wait for long are a backlog");
});

test("workers that have nothing to do go one by one, down to the fewest, and nothing is asked of the database", async () => {
  const { workers, asked } = await play(new Scaling({ min: 2, max: 8 }), {
    seconds: 300,
    workers: 6,
    busy: () => 0,
  });
  assert.equal(workers.at(-1), 2);
  assert.equal(workers[25], 6);
  assert.equal(changes(workers), 4);
  assert.equal(asked, 0);
});

test("work that comes and goes every few seconds changes nothing", async () => {
  const { workers } = await play(new Scaling({ min: 1, max: 8 }), {
    seconds: 300,
    workers: 3,
    busy: (each, second) => (second % 6 < 3 ? each : 0),
  });
  assert.equal(changes([3, ...workers]), 0);
});

test("what was learnt within other bounds is forgotten", async () => {
  const scaling = new Scaling({ min: 1, max: 8 });
  const flat = { rate: () => 10 };
  await play(scaling, { seconds: 60, ...flat });
  scaling.rebound({ min: 1, max: 3 });
  const { workers } = await play(scaling, { seconds: 60, from: 60 });
  assert.equal(workers.at(-1), 3);
});

test("the setting is a number, bounds in two forms, or auto", () => {
  assert.deepEqual(workerBounds(5), { min: 5, max: 5 });
  assert.deepEqual(workerBounds("2-8"), { min: 2, max: 8 });
  assert.deepEqual(workerBounds({ min: 2, max: 8 }), { min: 2, max: 8 });
  const auto = workerBounds("auto");
  assert(auto !== null && auto.min === 1 && auto.max >= 2);
  for (const wrong of [
    0,
    257,
    1.5,
    "8-2",
    "0-3",
    "1-257",
    "2-",
    "many",
    "",
    null,
    [],
    { min: 1 },
    { min: 1, max: 2, x: 3 },
  ])
    assert.equal(workerBounds(wrong), null, JSON.stringify(wrong));
});
