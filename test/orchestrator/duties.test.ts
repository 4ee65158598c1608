// What the duties agree on among each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDuties } from "../../src/orchestrator/duties.js";
import { openRange } from "../../src/queue/ranges.js";
import { configOf, silent, useWorld } from "./scene.js";

const world = useWorld();

function duties(wanted: Record<string, unknown>) {
  const all = createDuties({
    pool: world.pool,
    config: configOf(wanted),
    log: silent,
    ownSupervisor: () => undefined,
    reconnectedAt: undefined,
  });
  return async (name: string): Promise<number> => {
    const duty = all.find((each) => each.name === name);
    assert(duty, name);
    return duty.run();
  };
}

const jobs = async () =>
  (
    await world.rows<{ completed: number; queued: number }>(
      `select count(*) filter (where completed_at is not null)::int as completed,
         count(*) filter (where queued)::int as queued from processing_jobs`,
    )
  )[0];

const complete = () =>
  world.rows(
    "update processing_jobs set status = 'completed', completed_at = clock_timestamp() where queued",
  );

test("while the archive is behind a range is topped up less: the table stays small however fast it is drained", async () => {
  const window = 20_000;
  const run = duties({
    "queue.range_window": window,
    "queue.completed_kept": 1_000,
    "queue.history_days": 0,
  });
  await openRange(world.pool, { from: 0, to: 20_000_000 });
  assert.equal(await run("top ranges up"), 250);
  assert.deepEqual(await jobs(), { completed: 0, queued: window });
  await complete();

  // A bite of the 19,000 that are too many.
  assert.equal(await run("archive"), 0);
  assert.deepEqual(await jobs(), { completed: 15_000, queued: 0 });
  await run("top ranges up");
  assert.deepEqual(await jobs(), { completed: 15_000, queued: window / 4 });

  while ((await run("archive")) === 0);
  await run("top ranges up");
  assert.deepEqual(await jobs(), { completed: 1_000, queued: window });
});

test("with a range open the archive looks soon again, before the table has grown; else it hardly ever looks", async () => {
  const run = duties({ "queue.history_days": 0 });
  // Again at pipeline.check_interval, for a hint may be lost.
  assert.equal(await run("top ranges up"), 30_000);
  assert.equal(await run("archive"), 5_000);
  await openRange(world.pool, { from: 0, to: 20_000_000 });
  await run("top ranges up");
  assert.equal(await run("archive"), 250);
});
