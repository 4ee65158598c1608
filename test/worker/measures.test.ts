import assert from "node:assert/strict";
import { test } from "node:test";
import { Counts } from "../../src/metrics/counts.js";
import type { PreparedJob } from "../../src/pipeline/commit-prepared.js";
import type { ClaimedJob } from "../../src/queue/job.js";
import type { Batch } from "../../src/worker/batch.js";
import { Measures } from "../../src/worker/measures.js";

function scene() {
  const counts = new Counts();
  const sums = (
    name: "blockmill_stage_seconds" | "blockmill_wake_seconds" | "blockmill_head_latency_seconds",
  ) =>
    Object.fromEntries(
      (counts.all()[name] ?? []).map(([[label = ""], value]) => {
        const [sum = 0, times] = value as number[];
        return [label, [Math.round(sum * 1_000), times]];
      }),
    );
  return { counts, measures: new Measures(counts), sums };
}

const job = (waitedMs: number | null, blockHash: string | null = null) =>
  ({ waitedMs, blockHash }) as ClaimedJob;

test("each job waited in the queue, and the first claim after an idle time is what woke the worker", () => {
  const { measures, sums } = scene();
  measures.claimed([job(100)]);
  assert.deepEqual(sums("blockmill_wake_seconds"), {});
  measures.idle();
  measures.claimed([job(50), job(7), job(null)]);
  measures.claimed([job(1_000)]);
  assert.deepEqual(sums("blockmill_wake_seconds"), { "": [7, 1] });
  assert.deepEqual(sums("blockmill_stage_seconds"), { queue_wait: [1_157, 4] });
});

test("decoding is taken out of encoding where it is known", () => {
  const { measures, sums } = scene();
  const result = { fetch_ms: 10, verify_ms: 2, encode_ms: 5 };
  measures.prepared([{ result }, { result, decodeMs: 3 }] as unknown as PreparedJob[]);
  assert.deepEqual(sums("blockmill_stage_seconds"), {
    fetch: [20, 2],
    verify: [4, 2],
    decode: [3, 1],
    encode: [7, 2],
  });
});

test("a commit counts once it is done, and blocks that are fetched by their hash are of the head", async () => {
  const { measures, sums, counts } = scene();
  const rows = { rows: {} };
  const prepared = [
    { rows, job: job(500, "0xab") },
    { rows, job: job(500) },
    { rows, job: job(null, "0xcd") },
  ];
  const batch = {
    claimedAt: performance.now() - 1_000,
    preparedAt: performance.now() - 200,
    begin: () => ({ done: Promise.resolve({ prepared }) }),
  } as unknown as Batch;
  const committed = await measures.commit(batch);
  assert.deepEqual(counts.all(), {});
  committed();
  const [[latency = 0, times] = []] = Object.values(sums("blockmill_head_latency_seconds"));
  assert(latency >= 1_500 && times === 1, `${latency}`);
  const { database_wait: [waited = 0] = [] } = sums("blockmill_stage_seconds");
  assert(waited >= 200);
  const [[, blocks] = []] = counts.all().blockmill_commit_blocks ?? [];
  assert.deepEqual((blocks as number[] | undefined)?.slice(0, 2), [3, 1]);
});
