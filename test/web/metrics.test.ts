// What Prometheus sees of a real daemon.

import assert from "node:assert/strict";
import { test } from "node:test";
import { metricNames, metricRow } from "../../src/metrics/list.js";
import { setScene } from "../daemon/scene.js";
import { alive, waitFor } from "../support/process.js";
import { addressOf, ask } from "./scene.js";

const web = { listen: "127.0.0.1:0" };

/** Samples by name and labels, as they are written. */
async function scrape(address: string): Promise<Map<string, number>> {
  const { status, text } = await ask(address, { path: "/metrics" });
  assert.equal(status, 200, text);
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test("a scrape of a daemon at work has a series of every metric on the list, and no other", async (t) => {
  const scene = await setScene(t, { node: { head: 90 } });
  const daemon = await scene.start({
    web,
    pipeline: { auto_enqueue: true, check_interval: 0.1 },
    chain: { start_block: 1 },
  });
  const address = await addressOf(daemon);
  await waitFor(
    async () => (await scene.jobs()).filter(({ status }) => status === "completed").length === 90,
    {
      what: "the blocks",
      everyMs: 100,
    },
  );
  await scene.pool.query("insert into alerts (kind, message) values ('impossible_blocks', 'a test')");
  const missing = (samples: Map<string, number>): string[] =>
    metricNames.filter((name) => {
      const sample = metricRow(name).type === "histogram" ? `${name}_count` : name;
      return ![...samples.keys()].some((key) => key === sample || key.startsWith(`${sample}{`));
    });
  let last = new Map<string, number>();
  await waitFor(
    async () => {
      last = await scrape(address);
      const lacks = missing(last);
      t.diagnostic(`without a series: ${lacks.join(" ")}`);
      return lacks.length === 0;
    },
    { what: "every metric", everyMs: 500 },
  );
  const known = new Set<string>(metricNames);
  for (const key of last.keys()) {
    const name = /^[a-z_]+/.exec(key)?.[0] ?? "";
    assert(
      known.has(name) || known.has(name.replace(/_(bucket|sum|count)$/, "")),
      `${key} is not on the list`,
    );
  }
  const committed = () =>
    [...last].flatMap(([key, n]) => (key.startsWith("blockmill_blocks_committed_total") ? n : []));
  await waitFor(
    async () => {
      last = await scrape(address);
      return committed().reduce((sum, each) => sum + each, 0) === 90;
    },
    { what: "each block to be counted once", everyMs: 300 },
  );
  assert.equal(last.get("blockmill_contiguous_block"), 90);
  assert.equal(last.get("blockmill_lag_blocks"), 0);
  assert.equal(last.get('blockmill_stage_seconds_count{stage="fetch"}'), 90);
  assert.equal(last.get('blockmill_stage_seconds_count{stage="queue_wait"}'), 90);
});

test("a worker that is killed keeps what it counted, and its death is counted", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  const committed = async () => {
    const samples = [...(await scrape(address))];
    return samples.reduce(
      (sum, [key, n]) => sum + (key.startsWith("blockmill_blocks_committed_total") ? n : 0),
      0,
    );
  };
  await scene.insert(1, 20);
  await scene.settled();
  await waitFor(async () => (await committed()) === 20, { what: "the count", everyMs: 300 });
  for (const { pid } of daemon.workers()) process.kill(pid, "SIGKILL");
  const killed = daemon.workers().map(({ pid }) => pid);
  await waitFor(() => !killed.some(alive), { what: "their deaths" });
  await waitFor(
    async () =>
      ((await scrape(address)).get('blockmill_worker_deaths_total{role="worker",reason="SIGKILL"}') ?? 0) >=
      2,
    { what: "the deaths to be counted", everyMs: 300 },
  );
  assert.equal(await committed(), 20);
});

test("the lag in seconds grows while one block is stuck, though newer ones are stored", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  await scene.pool.query(
    "insert into processing_jobs (block_number, status, attempts, last_error) values (5, 'failed', 3, 'stuck')",
  );
  await scene.insert(1, 4);
  await scene.insert(6, 20);
  await scene.settled({ statuses: ["completed", "failed"] });
  const figures = async () => {
    const samples = await scrape(address);
    return {
      contiguous: samples.get("blockmill_contiguous_block"),
      stored: samples.get("blockmill_stored_block"),
      lag: samples.get("blockmill_lag_seconds") ?? 0,
    };
  };
  const first = await waitFor(
    async () => {
      const now = await figures();
      return now.stored === 20 && now;
    },
    { what: "the newest block", everyMs: 300 },
  );
  assert.equal(first.contiguous, 4);
  const { rows } = await scene.pool.query<{ age: number }>(
    "select extract(epoch from clock_timestamp() - timestamp)::float8 as age from blocks where number = 4",
  );
  assert(Math.abs(first.lag - (rows[0]?.age ?? 0)) < 600, `${first.lag}`);
  await waitFor(async () => (await figures()).lag > first.lag + 1, { what: "the lag to grow", everyMs: 300 });
});

test("while the database cannot be read, a scrape is answered with the last figures, and they age", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  await scene.insert(1, 5);
  await scene.settled();
  const first = await waitFor(
    async () => {
      const samples = await scrape(address);
      return samples.get("blockmill_stored_block") === 5 && samples;
    },
    { what: "the newest block", everyMs: 300 },
  );
  const client = await scene.pool.connect();
  await client.query("begin; lock table processing_jobs, blocks in access exclusive mode");
  const age = "blockmill_schema_read_age_seconds";
  const last = await waitFor(
    async () => {
      const samples = await scrape(address);
      return (samples.get(age) ?? 0) > 3 && samples;
    },
    { what: "the figures to age", everyMs: 300 },
  ).finally(async () => {
    await client.query("rollback");
    client.release();
  });
  assert.equal(last.get("blockmill_stored_block"), 5);
  assert((last.get("blockmill_lag_seconds") ?? 0) > (first.get("blockmill_lag_seconds") ?? 0));
  assert.equal((await ask(address, { path: "/healthz" })).status, 200);
  await waitFor(async () => ((await scrape(address)).get(age) ?? 9) < 2, {
    what: "the next read",
    everyMs: 300,
  });
});
