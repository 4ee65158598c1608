import assert from "node:assert/strict";
import { test } from "node:test";
import type { Figures } from "../../src/status/read-figures.js";
import type { Status } from "../../src/status/read-status.js";
import { collect, createMayExport } from "../../src/web/collect.js";
import { childOf, viewOf } from "./view.js";

const count = { count: 3, atLeast: true };
const jobs = {
  pending: count,
  scheduled: count,
  processing: count,
  completed: count,
  failed: count,
  cancelled: count,
};
const status = {
  value: { jobs, pause: null, lagBlocks: 2, alerts: [{ kind: "false_head" }] } as unknown as Status,
  ageSeconds: 0,
  error: null,
};
const figures = {
  value: {
    head: { number: 9, timestamp: 1_000, seenAt: 1_001 },
    finalized: { number: 3, timestamp: null },
    stored: { number: 9, timestamp: 1_000 },
    contiguous: { number: 4, timestamp: 940 },
    oldestPendingSeconds: 5,
    connections: [],
    oldestTransactionSeconds: 0,
    notificationQueueUsage: 0,
    queueDeadTuples: 0,
    tables: [{ table: "logs", bytes: 8_192 }],
  } as Figures,
  ageSeconds: 0,
  error: null,
};
const all = { status, figures, withSchema: true };

test("the schema's figures are exported by the daemon that leads alone, so that they are counted once", () => {
  const leading = collect({ view: viewOf(), ...all });
  assert.deepEqual(leading.blockmill_jobs?.[0], [["pending"], 3]);
  assert.deepEqual(leading.blockmill_jobs_at_least?.[0], [["pending"], 1]);
  assert.deepEqual(leading.blockmill_leader, [[[], 1]]);
  assert.deepEqual(leading.blockmill_alerts, [[["false_head"], 1]]);
  const view = viewOf({ children: [childOf("orchestrator", { state: "following" })] });
  const mayExport = createMayExport();
  const away = { ...status, error: "away" };
  assert.deepEqual(
    [
      mayExport(view, status),
      mayExport(view, away),
      mayExport(viewOf(), status),
      // The database goes away, and with it the leadership.
      mayExport(view, away),
      // Another one leads by now.
      mayExport(view, status),
      mayExport(view, away),
    ],
    [false, false, true, true, false, false],
  );
  const following = collect({ view, ...all, withSchema: false });
  assert.deepEqual([following.blockmill_jobs, following.blockmill_lag_seconds], [[], []]);
  assert.deepEqual(following.blockmill_leader, [[[], 0]]);
  assert.deepEqual(following.blockmill_build_info, [[["1.2.3", process.version], 1]]);
});

test("the lag is the age of the newest block below which nothing is missing, by the clock of the scrape", () => {
  const at = (now: number, ageSeconds: number) =>
    collect({ view: viewOf(), ...all, figures: { ...figures, ageSeconds, error: "away" } }, now);
  assert.deepEqual(at(1_000, 0).blockmill_lag_seconds, [[[], 60]]);
  // The database is away: what was read last grows older.
  assert.deepEqual(at(1_500, 500).blockmill_lag_seconds, [[[], 560]]);
  assert.deepEqual(at(1_500, 500).blockmill_oldest_pending_age_seconds, [[[], 505]]);
  assert.deepEqual(at(1_000, 0).blockmill_finalized_timestamp_seconds, []);
});

test("gauges of processes add up, but for the head, which is the highest; a counter begins at 0", () => {
  const gaugesOf = (head: number, out: number) => ({
    blockmill_chain_head_block: [[["a"], head]] as [string[], number][],
    blockmill_rpc_in_flight_requests: [[["a"], out]] as [string[], number][],
  });
  const children = [
    childOf("orchestrator", { gauges: gaugesOf(9, 1) }),
    childOf("worker", { gauges: gaugesOf(7, 2), state: "working" }),
    childOf("worker", { rank: 1, gauges: gaugesOf(8, 3), silentSeconds: 4 }),
  ];
  const counted = { blockmill_blocks_committed_total: [[["direct"], 5]] as [string[], number][] };
  const series = collect({ view: viewOf({ children, counted }), ...all });
  assert.deepEqual(series.blockmill_chain_head_block, [[["a"], 9]]);
  assert.deepEqual(series.blockmill_rpc_in_flight_requests, [[["a"], 6]]);
  assert.deepEqual(series.blockmill_blocks_committed_total, [
    [["long"], 0],
    [["direct"], 5],
  ]);
  assert.deepEqual(series.blockmill_jobs_postponed_total, [[[], 0]]);
  assert.deepEqual(
    series.blockmill_workers?.filter(([, workers]) => workers !== 0),
    [
      [["idle"], 1],
      [["working"], 1],
    ],
  );
  assert.deepEqual(series.blockmill_process_silence_seconds?.at(-1), [["worker-1"], 4]);
});

test("before the database was ever read, that is as old as the daemon", () => {
  const never = { value: null, ageSeconds: null, error: "away" };
  const series = collect({
    view: viewOf({ upSeconds: 77 }),
    status: never,
    figures: never,
    withSchema: true,
  });
  assert.deepEqual(series.blockmill_schema_read_age_seconds, [[[], 77]]);
  assert.deepEqual(series.blockmill_jobs, []);
});
