import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { assertCleanStop, numbers, said, setScene, until } from "./scene.js";

/** No worker comes while the machine is full, which other tests may see to. */
const onIdleMachine = {
  NODE_OPTIONS: `--import=${fileURLToPath(new URL("idle-machine.js", import.meta.url))}`,
};

test("workers come while jobs wait, within the bounds, and the work is done once", async (t) => {
  // So far away that one worker cannot keep anything busy.
  const scene = await setScene(t, { node: { head: 20_000, transactions: 0, logsPerTransaction: 0 } });
  await scene.node.setFaults({ latencyMs: 150 });
  const pipeline = { workers: { min: 1, max: 3 }, fetch_concurrency: 2, batch_size: 4 };
  const daemon = await scene.start({ pipeline }, onIdleMachine);
  assert.equal(daemon.workers().length, 1);
  const more = said(daemon, /changing the number of workers/);
  await scene.insert(1, 2_000);
  await more;
  await until(() => daemon.workers().length > 1, "another worker");
  assert(daemon.workers().length <= 3);
  await scene.node.clearFaults();
  await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 2_000));
  await assertCleanStop(daemon, scene.pool);
});

test("a worker that has done enough is replaced by one that is ready before, and no claim is lost", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ pipeline: { workers: 2, worker_jobs: 40, batch_size: 5 } });
  const before = daemon.workers().map(({ workerId }) => workerId);
  await scene.insert(1, 400);
  await until(
    () =>
      daemon.workers().length >= 2 && daemon.workers().every(({ workerId }) => !before.includes(workerId)),
    "every worker to be replaced",
  );
  const jobs = await scene.settled();
  await scene.assertWrittenOnce(numbers(1, 400));
  assert.deepEqual(
    jobs.filter(({ attempts, deaths }) => attempts !== 1 || deaths !== 0),
    [],
  );
  await assertCleanStop(daemon, scene.pool);
});
