import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sql } from "../../src/db/pool.js";
import { readSamples, sampleSteps, takeSample } from "../../src/queue/samples.js";
import { numbers, useQueue } from "./queue-database.js";

const queue = useQueue();

/** In a transaction whose now() stands still, which is given up at the end. */
async function standingStill(work: (sql: Sql) => Promise<void>): Promise<void> {
  const client = await queue.pool.connect();
  try {
    await client.query("begin");
    await work(client);
  } finally {
    await client.query("rollback");
    client.release();
  }
}

const bucket = "date_bin('10 seconds', now(), 'epoch') - interval '10 seconds'";

test("a sample counts what was committed within its ten seconds, by endpoint, and where a block's time went", async () => {
  await queue.insert(numbers(1, 9), "completed");
  await queue.insert(numbers(20, 22), "pending");
  await standingStill(async (sql) => {
    await sql.query(`
      update processing_jobs set
        created_at = ${bucket} + interval '1 second', run_at = ${bucket} + interval '1 second',
        started_at = ${bucket} + interval '2 seconds', completed_at = ${bucket} + interval '5 seconds',
        result = '{"endpoint": "a", "fetch_ms": 1000, "verify_ms": 250, "encode_ms": 250}' where block_number < 9;
      update processing_jobs set result = '{"endpoint": "b", "fetch_ms": "?"}', block_hash = sha256('') where block_number = 8;
      update processing_jobs set completed_at = ${bucket} - interval '1 second' where block_number = 9;
      update processing_jobs set created_at = now() - interval '1 minute', run_at = now() - interval '50 seconds'
      where block_number = 20`);
    const nextInMs = await takeSample(sql);
    assert(nextInMs > 0 && nextInMs <= 10_000);
    await takeSample(sql);
    const [sample, ...others] = await readSamples(sql, { step: 10, withinSeconds: 900 });
    assert.deepEqual(others, []);
    assert(sample !== undefined);
    const { stages, waitingSeconds, at, ...rest } = sample;
    assert.deepEqual(rest, {
      blocks: 8,
      endpoints: { a: 7, b: 1 },
      headP50: 4,
      headP99: 4,
      waiting: 3,
    });
    assert.equal(at % 10, 0);
    assert(Math.abs(waitingSeconds - 50) < 5, String(waitingSeconds));
    // Block 8's result tells no time: all of what it was claimed for is the rest.
    assert.deepEqual(stages, { queue: 8, fetch: 7, verify: 1.75, encode: 1.75, commit: 13.5 });
  });
});

test("nothing to tell is a sample as well: a chart shows it, unlike a time of which nothing is known", async () => {
  await standingStill(async (sql) => {
    await takeSample(sql);
    const [sample] = await readSamples(sql, { step: 10, withinSeconds: 900 });
    assert.deepEqual(
      [sample?.blocks, sample?.headP50, sample?.waiting, sample?.endpoints, sample?.stages],
      [0, null, 0, {}, {}],
    );
  });
});

test("longer steps are made of the shorter ones once they are over, and what no chart shows goes", async () => {
  await standingStill(async (sql) => {
    const minute = `date_bin('1 minute', ${bucket}, 'epoch')`;
    const quarter = `date_bin('15 minutes', ${bucket} - interval '1 minute', 'epoch')`;
    const row = (step: number, at: string, blocks: number) =>
      sql.query(
        `insert into processing_samples values (${step}, ${at}, ${blocks}, '{"a": ${blocks}, "b": 1}', ${blocks}, ${blocks}, ${blocks}, ${blocks}, 1, '{"fetch": 0.5}')
         on conflict do nothing`,
      );
    for (const n of [1, 2, 3, 4, 5, 6]) await row(10, `${minute} - interval '${n * 10} seconds'`, n);
    for (const n of numbers(1, 15)) await row(60, `${quarter} - interval '${n} minutes'`, 10);
    for (const { step, keptSeconds } of sampleSteps)
      await row(step, `${bucket} - interval '${keptSeconds + 3_600} seconds'`, 1);
    await takeSample(sql);
    const of = async (step: number) => await readSamples(sql, { step, withinSeconds: 1e7 });
    const rolled = (await of(60)).at(-1);
    assert.deepEqual(
      [rolled?.blocks, rolled?.endpoints, rolled?.headP99, rolled?.waiting, rolled?.stages],
      [21, { a: 21, b: 6 }, 6, 6, { fetch: 3 }],
    );
    // Weighted by the blocks: (1 + 4 + 9 + 16 + 25 + 36) / 21.
    assert(Math.abs((rolled?.headP50 ?? 0) - 91 / 21) < 0.01);
    const long = await of(900);
    assert.equal(long.at(-1)?.blocks, 150);
    const { rows } = await sql.query(`select from processing_samples where at < now() - interval '9 days'`);
    assert.equal(rows.length, 0);
    assert((await of(10)).every(({ at }) => at > Date.now() / 1_000 - 21 * 60));
  });
});
