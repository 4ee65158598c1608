import type { DaemonView } from "../child/daemon-view.js";
import type { ChildState } from "../child/messages.js";
import type { Series, Value } from "../metrics/counts.js";
import { type MetricName, metricNames, metricRow } from "../metrics/list.js";
import { statusOrder } from "../queue/job-status.js";
import type { Figures } from "../status/read-figures.js";
import type { Status } from "../status/read-status.js";
import type { Reading } from "./shared-read.js";

export interface Collected {
  view: DaemonView;
  status: Reading<Status>;
  figures: Reading<Figures>;
  /** Whether the schema's figures are this daemon's to export. */
  withSchema: boolean;
}

/** Where processes differ, the daemon's figure is the highest of theirs; elsewhere it is their sum. */
const highest: ReadonlySet<MetricName> = new Set(["blockmill_chain_head_block"]);

const workerStates: readonly ChildState[] = ["starting", "idle", "working", "waiting", "draining"];

/** Every series of the list, as of this moment. `now`: in seconds since 1970. */
export function collect({ view, status, figures, withSchema }: Collected, now = Date.now() / 1_000): Series {
  const series: Series = {
    ...together([view.gauges, ...view.children.map(({ gauges }) => gauges)]),
    ...ofDaemon(view, status, now),
    ...(withSchema ? { ...ofStatus(status.value), ...ofFigures(figures, now) } : {}),
    ...view.counted,
  };
  for (const name of metricNames) series[name] = withFirst(name, series[name] ?? []);
  return series;
}

/** Whether this daemon's orchestrator leads. */
export function leads({ children }: DaemonView): boolean {
  return children.some(({ role, state }) => role === "orchestrator" && state === "leading");
}

/**
 * A function that tells whether the schema's figures are this daemon's to export: while it leads, so that they are counted
 * once. Who led when the database went away goes on: nobody leads then, and what stands still is to be seen.
 */
export function createMayExport(): (view: DaemonView, status: Reading<Status>) => boolean {
  let did = false;
  return (view, { error }) => {
    did = leads(view) || (did && error !== null);
    return did;
  };
}

function together(all: readonly Series[]): Series {
  const sums = new Map<MetricName, Map<string, [labels: string[], value: number]>>();
  for (const [name, series] of all.flatMap(
    (each) => Object.entries(each) as [MetricName, [string[], Value][]][],
  )) {
    const sum = sums.get(name) ?? new Map<string, [string[], number]>();
    sums.set(name, sum);
    for (const [labels, value] of series) {
      const key = labels.join("\n");
      const before = sum.get(key)?.[1];
      const more = Number(value);
      const merged = highest.has(name) ? Math.max(before ?? more, more) : (before ?? 0) + more;
      sum.set(key, [labels, merged]);
    }
  }
  return Object.fromEntries([...sums].map(([name, sum]) => [name, [...sum.values()]]));
}

function ofDaemon(view: DaemonView, status: Reading<Status>, now: number): Series {
  const workers = view.children.filter(({ role }) => role === "worker");
  return {
    blockmill_build_info: [[[view.version, process.version], 1]],
    blockmill_start_time_seconds: single(now - view.upSeconds),
    blockmill_workers: workerStates.map((state) => [
      [state],
      workers.filter((each) => each.state === state).length,
    ]),
    blockmill_workers_wanted: single(view.workersWanted),
    blockmill_process_silence_seconds: view.children.map(({ role, rank, silentSeconds }) => [
      [`${role}-${rank}`],
      silentSeconds,
    ]),
    blockmill_lease_held: single(Number(view.leaseForSeconds > 0)),
    blockmill_leader: single(Number(leads(view))),
    // Before the first read it is as old as the daemon.
    blockmill_schema_read_age_seconds: single(status.ageSeconds ?? view.upSeconds),
  };
}

function ofStatus(status: Status | null): Series {
  if (status === null) return {};
  const { jobs, pause, lagBlocks, alerts } = status;
  return {
    blockmill_jobs: statusOrder.map((each) => [[each], jobs[each].count]),
    blockmill_jobs_at_least: statusOrder.map((each) => [[each], Number(jobs[each].atLeast)]),
    blockmill_paused: single(Number(pause !== null)),
    ...(lagBlocks === null ? {} : { blockmill_lag_blocks: single(lagBlocks) }),
    blockmill_alerts: alerts.map(({ kind }) => [[kind], 1]),
  };
}

function ofFigures({ value, ageSeconds }: Reading<Figures>, now: number): Series {
  if (value === null) return {};
  const { contiguous } = value;
  return {
    // What was due when it was read is due for longer now.
    blockmill_oldest_pending_age_seconds: single(
      value.oldestPendingSeconds === 0 ? 0 : value.oldestPendingSeconds + (ageSeconds ?? 0),
    ),
    blockmill_head_block: maybe(value.head?.number),
    blockmill_head_timestamp_seconds: maybe(value.head?.timestamp),
    blockmill_head_seen_timestamp_seconds: maybe(value.head?.seenAt),
    blockmill_finalized_block: maybe(value.finalized?.number),
    blockmill_finalized_timestamp_seconds: maybe(value.finalized?.timestamp),
    blockmill_stored_block: maybe(value.stored?.number),
    blockmill_stored_timestamp_seconds: maybe(value.stored?.timestamp),
    blockmill_contiguous_block: maybe(contiguous?.number),
    blockmill_contiguous_timestamp_seconds: maybe(contiguous?.timestamp),
    // By the clock of this moment: it grows also where the database is away.
    blockmill_lag_seconds: maybe(contiguous === null ? null : Math.max(0, now - contiguous.timestamp)),
    blockmill_database_connections: value.connections.map(({ state, count }) => [[state], count]),
    blockmill_oldest_transaction_age_seconds: single(value.oldestTransactionSeconds),
    blockmill_notification_queue_usage_ratio: single(value.notificationQueueUsage),
    blockmill_queue_dead_tuples: single(value.queueDeadTuples),
    blockmill_table_bytes: value.tables.map(({ table, bytes }) => [[table], bytes]),
  };
}

const single = (value: number): [string[], Value][] => [[[], value]];

const maybe = (value: number | null | undefined): [string[], Value][] =>
  value === null || value === undefined ? [] : single(value);

/** With the series that are there from the start. */
function withFirst(name: MetricName, series: [string[], Value][]): [string[], Value][] {
  const { from = [], type, buckets = [] } = metricRow(name);
  const zero = (): Value => (type === "histogram" ? new Array<number>(buckets.length + 3).fill(0) : 0);
  const has = (labels: readonly string[]) => series.some(([each]) => each.join("\n") === labels.join("\n"));
  const missing = from.filter((labels) => !has(labels));
  return [...missing.map((labels): [string[], Value] => [[...labels], zero()]), ...series];
}
