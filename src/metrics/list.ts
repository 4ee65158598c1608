// Every metric, once: docs/METRICS.md is made from this list, and nothing else is exported. Names follow
// https://prometheus.io/docs/practices/naming/: base units, `_total` for counters, no hash or number of a block as a label.

export interface Metric {
  type: "counter" | "gauge" | "histogram";
  /** A sentence or two, for HELP and for the page. */
  help: string;
  /** In the order in which values are given. */
  labels: readonly string[];
  /**
   * Whose figure it is. `daemon`: this daemon's own; those of many daemons add up. `schema`: read from the database, which
   * many daemons may share; only the daemon that leads exports it, so that it is counted once.
   */
  of: "daemon" | "schema";
  /** Of a histogram: upper bounds. */
  buckets?: readonly number[];
  /** Series that are there from the start, at 0: a rate over one that is yet to come would miss its first count. */
  from?: readonly (readonly string[])[];
}

/** From what memory does to what a person waits for. */
const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];
const bytes = [1e3, 1e4, 1e5, 1e6, 2.5e6, 5e6, 1e7, 2.5e7, 1e8];

/** What a block goes through, in its order. */
export const stages = [
  "queue_wait",
  "fetch",
  "verify",
  "decode",
  "encode",
  "database_wait",
  "commit",
] as const;

export const metrics = {
  blockmill_build_info: {
    type: "gauge",
    help: "Always 1; the labels say what runs.",
    labels: ["version", "node"],
    of: "daemon",
  },
  blockmill_start_time_seconds: {
    type: "gauge",
    help: "When this daemon was started, in seconds since 1970.",
    labels: [],
    of: "daemon",
  },

  blockmill_blocks_committed_total: {
    type: "counter",
    help: "Blocks whose rows were committed, by the way that they went from answers to rows.",
    labels: ["way"],
    of: "daemon",
    from: [["direct"], ["long"]],
  },
  blockmill_job_failures_total: {
    type: "counter",
    help: "Failed attempts by class: retry, unlinked and unproven run again later, fatal does not. As in processing_failures.",
    labels: ["class"],
    of: "daemon",
    from: [["retry"], ["unlinked"], ["unproven"], ["fatal"]],
  },
  blockmill_jobs_postponed_total: {
    type: "counter",
    help: "Jobs whose block was not there yet: they wait, and burn no attempt.",
    labels: [],
    of: "daemon",
    from: [[]],
  },
  blockmill_claims_lost_total: {
    type: "counter",
    help: "Claims that were handed on, cancelled or deleted while a worker held them.",
    labels: [],
    of: "daemon",
    from: [[]],
  },
  blockmill_stage_seconds: {
    type: "histogram",
    help: "Seconds that a block spent in a stage. queue_wait: due to claimed. fetch, verify, decode, encode: of each block; on the direct way decode is in encode. database_wait and commit: of each batch.",
    labels: ["stage"],
    of: "daemon",
    buckets: seconds,
    from: stages.map((stage) => [stage]),
  },
  blockmill_head_latency_seconds: {
    type: "histogram",
    help: "Seconds from when a block of the head became a job to its commit.",
    labels: [],
    of: "daemon",
    buckets: seconds,
    from: [[]],
  },
  blockmill_announce_seconds: {
    type: "histogram",
    help: "Seconds from when the leader was told of a head until its blocks are jobs.",
    labels: [],
    of: "daemon",
    buckets: seconds,
    from: [[]],
  },
  blockmill_wake_seconds: {
    type: "histogram",
    help: "Seconds from when a job became due to its claim by a worker that was idle.",
    labels: [],
    of: "daemon",
    buckets: seconds,
    from: [[]],
  },
  blockmill_commit_blocks: {
    type: "histogram",
    help: "Blocks in one commit.",
    labels: [],
    of: "daemon",
    buckets: sizes,
    from: [[]],
  },
  blockmill_commit_bytes: {
    type: "histogram",
    help: "Bytes of rows in one commit, as they go to PostgreSQL.",
    labels: [],
    of: "daemon",
    buckets: bytes,
    from: [[]],
  },
  blockmill_reorgs_total: {
    type: "counter",
    help: "Reorgs that this daemon undid.",
    labels: [],
    of: "daemon",
    from: [[]],
  },
  blockmill_reorg_depth_blocks: {
    type: "histogram",
    help: "Depth of the reorgs that this daemon undid: blocks from the fork to the head before it.",
    labels: [],
    of: "daemon",
    buckets: sizes,
    from: [[]],
  },

  blockmill_workers: {
    type: "gauge",
    help: "Workers of this daemon by state.",
    labels: ["state"],
    of: "daemon",
  },
  blockmill_workers_wanted: {
    type: "gauge",
    help: "Workers that this daemon keeps.",
    labels: [],
    of: "daemon",
  },
  blockmill_worker_deaths_total: {
    type: "counter",
    help: "Processes of this daemon that ended without being asked to, by role and by signal or exit code.",
    labels: ["role", "reason"],
    of: "daemon",
    from: [["worker", "SIGKILL"]],
  },
  blockmill_process_resident_memory_bytes: {
    type: "gauge",
    help: "Resident memory of a process, by its place: worker-0, orchestrator-0.",
    labels: ["process"],
    of: "daemon",
  },
  blockmill_process_cpu_seconds_total: {
    type: "counter",
    help: "CPU time of the processes of a role, those that are gone included.",
    labels: ["role"],
    of: "daemon",
  },
  blockmill_process_event_loop_delay_seconds: {
    type: "gauge",
    help: "How late a process came to its last heartbeat.",
    labels: ["process"],
    of: "daemon",
  },
  blockmill_process_event_loop_utilization_ratio: {
    type: "gauge",
    help: "The part of its time for which a process computed between its last two heartbeats.",
    labels: ["process"],
    of: "daemon",
  },
  blockmill_process_silence_seconds: {
    type: "gauge",
    help: "Seconds since a process was last heard: beyond pipeline.hung_seconds it is killed.",
    labels: ["process"],
    of: "daemon",
  },

  blockmill_rpc_requests_total: {
    type: "counter",
    help: "Requests to an endpoint by method and outcome: served, refused (too many), timed_out, failed, given_up (by us).",
    labels: ["endpoint", "method", "outcome"],
    of: "daemon",
  },
  blockmill_rpc_request_seconds: {
    type: "histogram",
    help: "Seconds that a request took from when it went out, however it ended.",
    labels: ["endpoint", "method"],
    of: "daemon",
    buckets: seconds,
  },
  blockmill_rpc_received_bytes_total: {
    type: "counter",
    help: "Bytes of answers, uncompressed.",
    labels: ["endpoint"],
    of: "daemon",
  },
  blockmill_rpc_blamed_total: {
    type: "counter",
    help: "Times that an endpoint was put aside for what it served: data that was proven wrong, or a head that nobody else has.",
    labels: ["endpoint"],
    of: "daemon",
  },
  blockmill_rpc_in_flight_requests: {
    type: "gauge",
    help: "Requests that are out.",
    labels: ["endpoint"],
    of: "daemon",
  },
  blockmill_rpc_limit_requests: {
    type: "gauge",
    help: "Requests that may be out at once, as far as the endpoint has let us.",
    labels: ["endpoint"],
    of: "daemon",
  },
  blockmill_endpoint_processes: {
    type: "gauge",
    help: "Processes of this daemon by how they see an endpoint: up, resting (its breaker is open), refused (it serves another chain).",
    labels: ["endpoint", "state"],
    of: "daemon",
  },
  blockmill_chain_head_block: {
    type: "gauge",
    help: "The newest block that an endpoint was seen to have.",
    labels: ["endpoint"],
    of: "daemon",
  },

  blockmill_statement_seconds: {
    type: "histogram",
    help: "Seconds until a statement was answered, by its name, or by its first word where it has none.",
    labels: ["statement"],
    of: "daemon",
    buckets: seconds,
  },
  blockmill_lease_held: {
    type: "gauge",
    help: "1 while this host's lease holds: without it no worker claims.",
    labels: [],
    of: "daemon",
  },
  blockmill_leader: {
    type: "gauge",
    help: "1 while this daemon leads for the schema.",
    labels: [],
    of: "daemon",
  },
  blockmill_schema_read_age_seconds: {
    type: "gauge",
    help: "Age of the schema's figures, which are read while somebody asks: it grows while the database cannot be read.",
    labels: [],
    of: "daemon",
  },
  blockmill_web_request_seconds: {
    type: "histogram",
    help: "Seconds to answer a request over HTTP, by what was asked for.",
    labels: ["path"],
    of: "daemon",
    buckets: seconds,
  },

  blockmill_jobs: {
    type: "gauge",
    help: "Jobs in processing_jobs by status, counted up to a bound: blockmill_jobs_at_least tells where there may be more.",
    labels: ["status"],
    of: "schema",
  },
  blockmill_jobs_at_least: {
    type: "gauge",
    help: "1 where blockmill_jobs stopped at its bound and there may be more.",
    labels: ["status"],
    of: "schema",
  },
  blockmill_oldest_pending_age_seconds: {
    type: "gauge",
    help: "How long the longest of the next 1,000 jobs to be claimed has been due; 0: none waits.",
    labels: [],
    of: "schema",
  },
  blockmill_paused: {
    type: "gauge",
    help: "1 while somebody has paused the schema.",
    labels: [],
    of: "schema",
  },
  blockmill_head_block: {
    type: "gauge",
    help: "The newest head that the leader has followed.",
    labels: [],
    of: "schema",
  },
  blockmill_head_timestamp_seconds: {
    type: "gauge",
    help: "That block's own time, in seconds since 1970.",
    labels: [],
    of: "schema",
  },
  blockmill_head_seen_timestamp_seconds: {
    type: "gauge",
    help: "When the leader was told of it, in seconds since 1970.",
    labels: [],
    of: "schema",
  },
  blockmill_finalized_block: {
    type: "gauge",
    help: "The newest block that an endpoint called finalized.",
    labels: [],
    of: "schema",
  },
  blockmill_finalized_timestamp_seconds: {
    type: "gauge",
    help: "That block's own time, in seconds since 1970; there once it is stored.",
    labels: [],
    of: "schema",
  },
  blockmill_stored_block: {
    type: "gauge",
    help: "The newest block that is stored.",
    labels: [],
    of: "schema",
  },
  blockmill_stored_timestamp_seconds: {
    type: "gauge",
    help: "That block's own time, in seconds since 1970.",
    labels: [],
    of: "schema",
  },
  blockmill_contiguous_block: {
    type: "gauge",
    help: "The newest stored block below which nothing that was asked for is missing. It stands while one block is stuck, though newer ones are stored.",
    labels: [],
    of: "schema",
  },
  blockmill_contiguous_timestamp_seconds: {
    type: "gauge",
    help: "That block's own time, in seconds since 1970.",
    labels: [],
    of: "schema",
  },
  blockmill_lag_blocks: {
    type: "gauge",
    help: "Blocks up to the head that were asked for and are not stored, counted up to a bound.",
    labels: [],
    of: "schema",
  },
  blockmill_lag_seconds: {
    type: "gauge",
    help: "Age of blockmill_contiguous_block at this moment. It grows while anything is stuck: a block, the database, or the head. While a range of old blocks is open, they are what it counts from.",
    labels: [],
    of: "schema",
  },
  blockmill_database_connections: {
    type: "gauge",
    help: "Sessions of blockmill in this database by state, as pg_stat_activity says it.",
    labels: ["state"],
    of: "schema",
  },
  blockmill_oldest_transaction_age_seconds: {
    type: "gauge",
    help: "Age of the oldest open transaction in this database: vacuum cannot clean what is younger.",
    labels: [],
    of: "schema",
  },
  blockmill_notification_queue_usage_ratio: {
    type: "gauge",
    help: "How full PostgreSQL's queue of notifications is: at 1 no insert succeeds any more.",
    labels: [],
    of: "schema",
  },
  blockmill_queue_dead_tuples: {
    type: "gauge",
    help: "Dead rows of processing_jobs, as PostgreSQL estimates them.",
    labels: [],
    of: "schema",
  },
  blockmill_table_bytes: {
    type: "gauge",
    help: "Bytes of each table with its indexes and partitions, read once a minute.",
    labels: ["table"],
    of: "schema",
  },
  blockmill_alerts: {
    type: "gauge",
    help: "1 for each kind of alert that is open.",
    labels: ["kind"],
    of: "schema",
  },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

type NamesOf<T extends Metric["type"]> = {
  [N in MetricName]: (typeof metrics)[N]["type"] extends T ? N : never;
}[MetricName];
export type CounterName = NamesOf<"counter">;
export type GaugeName = NamesOf<"gauge">;
export type HistogramName = NamesOf<"histogram">;

/** The values of a metric's labels, in their order. */
export type LabelsOf<N extends MetricName> = (typeof metrics)[N]["labels"] extends infer L extends
  readonly string[]
  ? { readonly [I in keyof L]: string }
  : never;

export const metricNames = Object.keys(metrics) as readonly MetricName[];

/** The row of a metric. */
export function metricRow(name: MetricName): Metric {
  return metrics[name];
}
