import convict from "convict";
import { decodeSettings } from "./decode-settings.js";
import * as format from "./formats.js";
import type { WorkersSetting } from "./workers.js";

/**
 * Every key, once: its meaning, its format, its default, its environment variable. `blockmill config
 * --explain` prints this file's words, so they are written for the person who edits the JSON.
 */
export const keys = {
  pipeline: {
    workers: {
      doc: 'Worker processes that this daemon keeps. Each fetches, verifies and commits blocks on its own. A number; or bounds such as {"min": 2, "max": 8} (as text: 2-8), between which workers come and go with the work; or "auto": from one to two for each core.',
      format: format.workers(),
      default: 5 as WorkersSetting,
      env: "BLOCKMILL_PIPELINE_WORKERS",
    },
    check_interval: {
      doc: "Seconds between two looks at the chain's head, and between two sweeps for stale jobs.",
      format: format.number({ min: 0.05, max: 3_600 }),
      default: 30,
      env: "BLOCKMILL_PIPELINE_CHECK_INTERVAL",
    },
    max_attempts: {
      doc: "Attempts after which a job is failed and waits for a person (blockmill retry).",
      format: format.integer({ min: 1, max: 1_000 }),
      default: 3,
      env: "BLOCKMILL_PIPELINE_MAX_ATTEMPTS",
    },
    timeout_minutes: {
      doc: "Minutes that one job may take before it is taken from its worker.",
      format: format.number({ min: 0.01, max: 1_440 }),
      default: 30,
      env: "BLOCKMILL_PIPELINE_TIMEOUT_MINUTES",
    },
    priority_blocks: {
      doc: "How many of the newest blocks are enqueued ahead of everything older.",
      format: format.integer({ min: 0, max: 10_000 }),
      default: 10,
      env: "BLOCKMILL_PIPELINE_PRIORITY_BLOCKS",
    },
    auto_enqueue: {
      doc: "Follow the chain's head and enqueue each new block. Off: only what people enqueue is fetched.",
      format: format.boolean(),
      default: true,
      env: "BLOCKMILL_PIPELINE_AUTO_ENQUEUE",
    },
    batch_size: {
      doc: "The most blocks that a worker claims at once and commits in one transaction. It takes fewer of heavy ones.",
      format: format.integer({ min: 1, max: 1_000 }),
      default: 64,
      env: "BLOCKMILL_PIPELINE_BATCH_SIZE",
    },
    fetch_concurrency: {
      doc: "The most blocks that one worker fetches at the same time. It takes as many as come while a node answers: the further away the node, the more; the larger the blocks, the fewer.",
      format: format.integer({ min: 1, max: 256 }),
      default: 96,
      env: "BLOCKMILL_PIPELINE_FETCH_CONCURRENCY",
    },
    worker_memory_mb: {
      doc: "Resident memory beyond which a worker is replaced by a new one, which is ready before the old one ends. 0: never.",
      format: format.integer({ min: 0, max: 1_048_576 }),
      default: 512,
      env: "BLOCKMILL_PIPELINE_WORKER_MEMORY_MB",
    },
    worker_jobs: {
      doc: "Blocks after which a worker is replaced by a new one in the same way. 0: never.",
      format: format.integer({ min: 0, max: 1_000_000_000 }),
      default: 0,
      env: "BLOCKMILL_PIPELINE_WORKER_JOBS",
    },
    backoff_seconds: {
      doc: "The longest wait before the first retry; it doubles with every attempt, and the wait is random below it.",
      format: format.number({ min: 0.01, max: 3_600 }),
      default: 2,
      env: "BLOCKMILL_PIPELINE_BACKOFF_SECONDS",
    },
    backoff_max_seconds: {
      doc: "The longest wait before any retry.",
      format: format.number({ min: 0.01, max: 86_400 }),
      default: 300,
      env: "BLOCKMILL_PIPELINE_BACKOFF_MAX_SECONDS",
    },
    drain_seconds: {
      doc: "Seconds that workers get on SIGTERM to finish what they hold. After it claims are given back.",
      format: format.number({ min: 0, max: 3_600 }),
      default: 60,
      env: "BLOCKMILL_PIPELINE_DRAIN_SECONDS",
    },
    hung_seconds: {
      doc: "Seconds without a heartbeat after which a worker or the orchestrator is killed and replaced.",
      format: format.number({ min: 1, max: 3_600 }),
      default: 20,
      env: "BLOCKMILL_PIPELINE_HUNG_SECONDS",
    },
  },
  feed: {
    enabled: {
      doc: "Tell readers of the chain's steps in chain_changes: which block was applied or reverted, in the chain's order. See docs/FEED.md. Off: nothing is told, and what was told before stands until SELECT stop_feed().",
      format: format.boolean(),
      default: false,
      env: "BLOCKMILL_FEED_ENABLED",
    },
    from: {
      doc: "The first block that is told, read when the feed is switched on. null: the first one above all that are stored then.",
      format: format.nullable(format.integer({ min: 0, max: 9_007_199_254_740_990 })),
      default: null as number | null,
      env: "BLOCKMILL_FEED_FROM",
    },
    max_lag_blocks: {
      doc: "Steps that are kept for a reader. One that falls further behind has to start again, unless it is pinned (chain_readers.pinned).",
      format: format.integer({ min: 10, max: 1_000_000_000 }),
      default: 100_000,
      env: "BLOCKMILL_FEED_MAX_LAG_BLOCKS",
    },
  },
  queue: {
    range_window: {
      doc: "Jobs that a range is topped up to. The queue table does not grow with the range, only with this.",
      format: format.integer({ min: 1, max: 1_000_000 }),
      default: 5_000,
      env: "BLOCKMILL_QUEUE_RANGE_WINDOW",
    },
    archive_minutes: {
      doc: "Minutes that a completed job stays in processing_jobs before it is folded into processing_coverage.",
      format: format.number({ min: 0, max: 525_600 }),
      default: 60,
      env: "BLOCKMILL_QUEUE_ARCHIVE_MINUTES",
    },
    completed_kept: {
      doc: "Completed jobs that stay in processing_jobs at most, the newest; those beyond are archived before their time.",
      format: format.integer({ min: 0, max: 10_000_000 }),
      default: 10_000,
      env: "BLOCKMILL_QUEUE_COMPLETED_KEPT",
    },
    history_days: {
      doc: "Days that archived jobs stay in processing_history, which is dropped by the day. 0: no history is written.",
      format: format.integer({ min: 0, max: 36_500 }),
      default: 7,
      env: "BLOCKMILL_QUEUE_HISTORY_DAYS",
    },
    failures_kept: {
      doc: "Rows of processing_failures that are kept, the newest.",
      format: format.integer({ min: 0, max: 10_000_000 }),
      default: 10_000,
      env: "BLOCKMILL_QUEUE_FAILURES_KEPT",
    },
  },
  database: {
    url: {
      doc: "PostgreSQL 15 to 18, as postgresql://user:password@host:port/database.",
      format: format.databaseUrl(),
      default: "",
      env: "BLOCKMILL_DATABASE_URL",
      sensitive: true,
    },
    listen_url: {
      doc: "PostgreSQL's own address, where database.url is that of a pooler such as PgBouncer in transaction mode: what needs a session (LISTEN, leases, leadership, the commands) goes here, blocks go through the pooler. Empty: everything goes to database.url.",
      format: format.databaseUrl(),
      default: "",
      env: "BLOCKMILL_DATABASE_LISTEN_URL",
      sensitive: true,
    },
    schema: {
      doc: "The PostgreSQL schema that holds one chain. Several daemons may share it, and share its work.",
      format: format.schemaName(),
      default: "public",
      env: "BLOCKMILL_DATABASE_SCHEMA",
    },
    partition_blocks: {
      doc: "Blocks in one partition of the chain's tables, chosen when `blockmill init` makes them and never changed after; 500000 suits a long chain. 0: the tables are not partitioned. Nothing but init reads it.",
      format: format.integer({ min: 0, max: 1_000_000_000 }),
      default: 0,
      env: "BLOCKMILL_DATABASE_PARTITION_BLOCKS",
    },
    pool_size: {
      doc: "Connections that this daemon keeps, all its processes together.",
      format: format.integer({ min: 1, max: 10_000 }),
      default: 20,
      env: "BLOCKMILL_DATABASE_POOL_SIZE",
    },
    max_overflow: {
      doc: "Connections that it may open beyond pool_size under load. The sum is never passed.",
      format: format.integer({ min: 0, max: 10_000 }),
      default: 30,
      env: "BLOCKMILL_DATABASE_MAX_OVERFLOW",
    },
    statement_timeout: {
      doc: "Seconds after which PostgreSQL cancels a statement.",
      format: format.number({ min: 1, max: 86_400 }),
      default: 300,
      env: "BLOCKMILL_DATABASE_STATEMENT_TIMEOUT",
    },
    connect_timeout: {
      doc: "Seconds to wait for a connection.",
      format: format.number({ min: 0.1, max: 300 }),
      default: 10,
      env: "BLOCKMILL_DATABASE_CONNECT_TIMEOUT",
    },
    old_transaction_seconds: {
      doc: "Seconds after which a transaction that somebody left open in this database raises an alert: it keeps vacuum from cleaning the queue. 0: nobody looks.",
      format: format.number({ min: 0, max: 86_400 }),
      default: 60,
      env: "BLOCKMILL_DATABASE_OLD_TRANSACTION_SECONDS",
    },
    lease_seconds: {
      doc: "Seconds of silence after which PostgreSQL drops a supervisor's session, and its host's claims are released.",
      format: format.number({ min: 1, max: 300 }),
      default: 4,
      env: "BLOCKMILL_DATABASE_LEASE_SECONDS",
    },
  },
  rpc: {
    urls: {
      doc:
        "The chain's JSON-RPC endpoints, http(s):// or ws(s)://. Blocks move to another one when one fails. " +
        'Each is a URL, or an object: {"url": ..., "weight": its share of the work (1), ' +
        '"requests_per_second": ..., "max_in_flight": ..., "batch_size": calls in one JSON-RPC batch (100), ' +
        '"timeout_ms": ..., "log_range": blocks in one eth_getLogs, "compress": whether to ask for ' +
        "gzipped answers (true for https://, false for http://, as of a node nearby)}. Limits hold for this daemon as a whole, " +
        "though each of its processes may always have one request in flight.",
      format: format.endpoints({ schemes: ["http", "https", "ws", "wss"] }),
      default: [] as (string | EndpointSettings)[],
      env: "BLOCKMILL_RPC_URLS",
      sensitive: true,
    },
    timeout_ms: {
      doc: "Milliseconds that one request may take.",
      format: format.integer({ min: 1, max: 600_000 }),
      default: 10_000,
      env: "BLOCKMILL_RPC_TIMEOUT_MS",
    },
    max_response_mb: {
      doc: "The largest answer that is read, in megabytes.",
      format: format.integer({ min: 1, max: 1_024 }),
      default: 64,
      env: "BLOCKMILL_RPC_MAX_RESPONSE_MB",
    },
  },
  chain: {
    start_block: {
      doc: "The first block to store when a schema is followed for the first time; null: the head of that moment.",
      format: format.nullable(format.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })),
      default: null as number | null,
      env: "BLOCKMILL_CHAIN_START_BLOCK",
    },
    verify: {
      doc: "How much of a block is proven before it is stored. roots: its hash and every root are recomputed. bloom: the cheap checks alone. off: nothing. Checks that a chain is known to break are left out.",
      format: format.oneOf(["roots", "bloom", "off"]),
      default: "roots",
      env: "BLOCKMILL_CHAIN_VERIFY",
    },
    recover_senders: {
      doc: "With verify: roots, also recover each transaction's sender from its signature. About a millisecond for each.",
      format: format.boolean(),
      default: false,
      env: "BLOCKMILL_CHAIN_RECOVER_SENDERS",
    },
    max_reorg_depth: {
      doc: "The deepest reorg that is undone. A deeper one removes nothing: it raises an alert and stops following until a person has looked.",
      format: format.integer({ min: 1, max: 100_000 }),
      default: 128,
      env: "BLOCKMILL_CHAIN_MAX_REORG_DEPTH",
    },
    finality_depth: {
      doc: "Blocks below the head that count as final where no endpoint knows the tag finalized. Blocks above are fetched by hash.",
      format: format.integer({ min: 0, max: 100_000 }),
      default: 64,
      env: "BLOCKMILL_CHAIN_FINALITY_DEPTH",
    },
  },
  alerts: {
    rules: {
      doc:
        "What the rules of alerts are to have otherwise: an object such as " +
        '{"jobs_waiting": {"threshold": 5000, "for_seconds": 300, "clear_seconds": 60}, "lag": {"off": true}}. ' +
        "for_seconds: how long it must be so before the alert is raised; clear_seconds: how long it must be over before it is resolved. " +
        "While an alert is open its threshold is a tenth easier to pass. docs/OPERATIONS.md lists the rules.",
      format: format.alertRuleSettings(),
      default: "",
      env: "BLOCKMILL_ALERTS_RULES",
    },
    window_seconds: {
      doc: "Seconds for which a failed attempt, a death or a reorg counts in the rules error_rate, verification_failures, worker_deaths and reorg_deep.",
      format: format.integer({ min: 5, max: 86_400 }),
      default: 300,
      env: "BLOCKMILL_ALERTS_WINDOW_SECONDS",
    },
    webhook: {
      doc: "Where each alert is sent (POST, JSON) when it is raised and when it is resolved, until it is taken. Empty: nowhere.",
      format: format.url({ schemes: ["http", "https"] }),
      default: "",
      env: "BLOCKMILL_ALERTS_WEBHOOK",
      sensitive: true,
    },
    command: {
      doc: "A program that is run for each alert, with the alert as JSON on its standard input; or a directory, each program of which is. One that is missing is none. Empty: none.",
      format: format.file(),
      default: "/etc/blockmill/alert.d",
      env: "BLOCKMILL_ALERTS_COMMAND",
    },
    heartbeat: {
      doc: "A URL that the leading daemon asks once a minute (GET) while it evaluates alerts: who misses that, at a service for it, knows that no daemon works. Empty: none.",
      format: format.url({ schemes: ["http", "https"] }),
      default: "",
      env: "BLOCKMILL_ALERTS_HEARTBEAT",
      sensitive: true,
    },
    disk_gb: {
      doc: "Gigabytes (10^9 bytes) that the database may grow to, for the forecast of a full disk. 0: what the file system tells, where PostgreSQL is on the leader's host and its role may read data_directory; else there is no forecast.",
      format: format.number({ min: 0, max: 1_000_000_000 }),
      default: 0,
      env: "BLOCKMILL_ALERTS_DISK_GB",
    },
  },
  web: {
    listen: {
      doc: 'Where metrics, health, the API and the page are served over HTTP, as HOST:PORT ("[::1]:9464" for IPv6). Under systemd there is also the socket "web" in the runtime directory. "127.0.0.1:9464" switches it on: that becomes the default once the page is there. Empty or null: nothing is served, and no process runs for it.',
      format: format.listenAddress(),
      default: "",
      env: "BLOCKMILL_WEB_LISTEN",
    },
    hosts: {
      doc: "Names under which browsers may open the page and the API, beside localhost and IP addresses: those of a reverse proxy, say. It keeps other sites from reading them by a name of their own that leads here (DNS rebinding). /metrics, /healthz and /readyz answer under any name.",
      format: format.hostNames(),
      default: [] as string[],
      env: "BLOCKMILL_WEB_HOSTS",
    },
    token: {
      doc: "A secret of at least 16 characters that allows to retry jobs and to pause work over HTTP. Empty: nothing can be changed over HTTP.",
      format: format.token(),
      default: "",
      env: "BLOCKMILL_WEB_TOKEN",
      sensitive: true,
    },
  },
  decode: {
    doc:
      'Which events become tables: an object such as {"usdc": {"address": "0xA0b8...", "abi": "erc20", "events": ["Transfer"]}}. ' +
      'Its table is usdc_transfer. address: "any", one, a list, or those that another event tells of. abi: a file, or erc20, erc721, ... ' +
      "events: names or signatures. blockmill decode plan shows what follows, and apply makes it. docs/DECODING.md says more.",
    format: decodeSettings(),
    default: "",
    env: "BLOCKMILL_DECODE",
  },
  log: {
    level: {
      doc: "The least severe log line that is written: trace, debug, info, warn, error, fatal.",
      format: format.oneOf(["trace", "debug", "info", "warn", "error", "fatal"]),
      default: "info",
      env: "BLOCKMILL_LOG_LEVEL",
    },
    format: {
      doc: "How log lines are written. json: bunyan's objects, one a line. pretty: lines for people. auto: pretty where they go to a terminal, else json.",
      format: format.oneOf(["auto", "json", "pretty"]),
      default: "auto",
      env: "BLOCKMILL_LOG_FORMAT",
    },
  },
};

/** An item of rpc.urls that says more than its URL. */
export interface EndpointSettings {
  url: string;
  weight?: number;
  requests_per_second?: number;
  max_in_flight?: number;
  batch_size?: number;
  timeout_ms?: number;
  log_range?: number;
  compress?: boolean;
}

type Leaf<T> = { doc: string; format: format.Format; default: T; env: string; sensitive?: boolean };
type Widen<T> = T extends boolean ? boolean : T;
type ValuesOf<S> = { [K in keyof S]: S[K] extends Leaf<infer T> ? Widen<T> : ValuesOf<S[K]> };

/** The effective configuration. Units are in the keys' names or docs: `statement_timeout` is in seconds. */
export type Config = ValuesOf<typeof keys>;

/** Every key by its path; a section's keys have its name before theirs. */
function leaves(): { path: string; leaf: Leaf<unknown> }[] {
  return Object.entries(keys as Record<string, Leaf<unknown> | Record<string, Leaf<unknown>>>).flatMap(
    ([name, section]) =>
      isLeaf(section)
        ? [{ path: name, leaf: section }]
        : Object.entries(section).map(([key, leaf]) => ({ path: `${name}.${key}`, leaf })),
  );
}

function isLeaf(section: Leaf<unknown> | Record<string, Leaf<unknown>>): section is Leaf<unknown> {
  return typeof section.doc === "string";
}

/** A convict instance over `keys` that reads nothing by itself: `loadConfig` gives it each layer. */
export function convictOverKeys() {
  return convict(convictKeys as never, { env: {}, args: [] });
}

export interface Key {
  /** Dotted, such as `pipeline.workers`; or a name alone, such as `decode`. */
  path: string;
  doc: string;
  default: unknown;
  env: string;
  sensitive: boolean;
  format: format.Format;
}

/** All keys in the order of the schema. */
export function listKeys(): Key[] {
  return leaves().map(({ path, leaf }) => ({
    path,
    doc: leaf.doc,
    default: leaf.default,
    env: leaf.env,
    sensitive: leaf.sensitive ?? false,
    format: leaf.format,
  }));
}

// Under a name, a format may say that text stays as it is: convict would make the default's type of it.
const convictKeys: Record<string, Record<string, unknown>> = {};
for (const { path, leaf } of leaves()) {
  convict.addFormat({ name: path, validate: leaf.format, coerce: (value: unknown) => value });
  const [section = path, name] = path.split(".");
  const entry = { ...leaf, format: path };
  if (name === undefined) convictKeys[section] = entry;
  else convictKeys[section] = { ...convictKeys[section], [name]: entry };
}
