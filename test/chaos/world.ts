// Where chaos happens: a PostgreSQL of its own, a fixture node with two endpoints, a daemon, and its load.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { Random } from "../../bench/fixture-node/random.js";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { type Fixture, startFixture } from "../support/fixture.js";
import { projectRoot } from "../support/project.js";
import { installEffects, personName } from "./effects.js";
import { Host } from "./host.js";
import { Load } from "./load.js";
import { Tally } from "./tally.js";

export interface WorldOptions {
  seed: number;
  /** Blocks below the head to be asked for as time goes on. */
  history: number;
  /** How fast they are asked for, on average. */
  historyPerSecond: number;
  leaseSeconds?: number;
  /** Whether the chain is Filecoin's: it has no block at some numbers, and nothing but its links proves the others. */
  nullRounds?: boolean;
  say(line: string): void;
}

/** How a second host differs from the first. */
export interface HostOptions {
  config?: Record<string, Record<string, unknown>>;
  url?: string;
  env?: Record<string, string | undefined>;
}

/** The daemon of the suite: quick retries, attempts without end, and archiving all along. */
const daemonConfig = {
  pipeline: {
    workers: 3,
    auto_enqueue: true,
    check_interval: 0.2,
    max_attempts: 1_000,
    hung_seconds: 3,
    drain_seconds: 10,
    backoff_seconds: 0.05,
    backoff_max_seconds: 0.2,
  },
  chain: { max_reorg_depth: 1_000 },
  queue: { archive_minutes: 0.05, completed_kept: 500, history_days: 0, range_window: 400 },
};

export class World {
  readonly tally = new Tally();
  readonly hosts = new Set<Host>();
  readonly random: Random;
  readonly load: Load;
  /** The second address of the server: what a cut takes from one host and leaves to another. */
  readonly otherUrl: string;
  #clockOffsetMs = 0;
  #closing: (() => Promise<void>)[] = [];
  #main: Host | undefined;

  private constructor(
    readonly options: WorldOptions,
    /** Undefined: a server of somebody else's, which must not be stopped. */
    readonly server: EmbeddedPostgres | undefined,
    /** The program's: a role that owns the tables, and nothing else. */
    readonly url: string,
    /** A superuser's. */
    readonly adminUrl: string,
    /** The suite's own questions, as superuser. */
    readonly pool: pg.Pool,
    readonly node: Fixture,
  ) {
    this.random = new Random(`chaos-${options.seed}`);
    this.load = new Load(this, new Random(`load-${options.seed}`));
    this.otherUrl = url.replace("127.0.0.1", "127.0.0.2");
  }

  static async create(options: WorldOptions): Promise<World> {
    const given = process.env.BLOCKMILL_TEST_DATABASE_URL;
    const server = given ? undefined : await startEmbeddedPostgres({ settings: serverSettings });
    const root = given ?? server?.url ?? "";
    if (server !== undefined) await shortenNotifyQueue(server);
    const name = `chaos_${randomBytes(4).toString("hex")}`;
    const admin = new pg.Client({ connectionString: root });
    await admin.connect();
    const password = randomBytes(8).toString("hex");
    await admin.query(`create role ${name} login password '${password}'`);
    await admin.query(`create database ${name} owner ${name} template template0 encoding 'UTF8'`);
    const adminUrl = withPath(root, `/${name}`);
    const url = withPath(root, `/${name}`, { user: name, password });
    await applySchema(url);
    const pool = new pg.Pool({ connectionString: adminUrl, application_name: "chaos", max: 8 });
    pool.on("error", () => {});
    pool.on("connect", (client) => client.on("error", () => {}));
    await installEffects(pool);
    const node = await startFixture({
      ...chainOf(options),
      ports: 2,
      finalityDepth: 64,
      head: options.history + 3,
      recordCalls: false,
    });
    const world = new World(options, server, url, adminUrl, pool, node);
    world.#closing.push(async () => {
      await node.stop();
      await pool.end();
      if (server === undefined) {
        await admin.query(`drop database if exists ${name} with (force)`);
        await admin.query(`drop role ${name}`);
      }
      await admin.end().catch(() => {});
      await server?.destroy();
    });
    admin.on("error", () => {});
    if (server !== undefined) await admin.end();
    await world.readClock();
    return world;
  }

  get chainId(): number {
    return this.options.nullRounds ? filecoinId : 1;
  }

  /** The daemon that runs all along. */
  get host(): Host {
    if (this.#main === undefined) throw new Error("the world's daemon was not started");
    return this.#main;
  }

  async startMain(): Promise<void> {
    this.#main = this.addHost("a");
    await this.#main.start();
  }

  /** Another daemon; `end` it and it is forgotten at rest. */
  addHost(name: string, { config = {}, url = this.url, env = {} }: HostOptions = {}): Host {
    const base: Record<string, Record<string, unknown>> = {
      ...daemonConfig,
      chain: { ...daemonConfig.chain, start_block: this.options.history },
      database: {
        lease_seconds: this.options.leaseSeconds ?? 4,
        connect_timeout: 3,
        pool_size: 14,
        max_overflow: 4,
      },
      rpc: { timeout_ms: 3_000 },
    };
    const merged = Object.fromEntries(
      Object.entries({ ...base, ...config }).map(([key, value]) => [key, { ...base[key], ...value }]),
    );
    const host = new Host(
      name,
      { databaseUrl: url, rpcUrls: [this.node.url, this.node.wsUrls[1] ?? ""], config: merged, env },
      this.tally,
    );
    this.hosts.add(host);
    return host;
  }

  say(line: string): void {
    this.options.say(line);
  }

  /** Whether the scenario that asks is the only one. */
  get isAlone(): boolean {
    return this.tally.underWay <= 1;
  }

  /** Milliseconds since 1970 by the database's clock, also while the database is away. */
  clock(): number {
    return Date.now() + this.#clockOffsetMs;
  }

  async readClock(): Promise<void> {
    const before = Date.now();
    const [row] = await this.ask<{ ms: number }>(
      "select extract(epoch from clock_timestamp())::float8 * 1000 as ms",
    );
    const after = Date.now();
    // On one machine it is the same clock: what is left is the way there and back.
    const offset = (row?.ms ?? before) - (before + after) / 2;
    this.#clockOffsetMs = Math.abs(offset) < 20 ? 0 : offset;
  }

  /** A question of the suite's own; asked again while the database is away. It may run twice. */
  async ask<R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> {
    const deadline = performance.now() + 60_000;
    for (;;) {
      try {
        return (await this.pool.query<R>(sql, values)).rows;
      } catch (error) {
        if (!isAway(error) || performance.now() > deadline) throw error;
        await sleep(30);
      }
    }
  }

  /** Runs as a person would with psql: a session of their own. */
  async asPerson<T>(
    work: (person: pg.Client) => Promise<T>,
    { url = this.adminUrl, name = personName }: { url?: string; name?: string } = {},
  ): Promise<T> {
    const person = new pg.Client({ connectionString: url, application_name: name });
    person.on("error", () => {});
    await person.connect();
    try {
      return await work(person);
    } finally {
      await person.end().catch(() => {});
    }
  }

  /** Takes back whatever is still wrong, so that the daemons can come to rest. */
  async heal(): Promise<void> {
    await this.node.clearFaults();
    await this.ask("update chaos_control set gate = false, refuse = null");
    for (const host of this.hosts) await host.heal();
    for (const host of this.hosts) if (host !== this.#main) await this.forget(host);
  }

  async forget(host: Host): Promise<void> {
    await host.end();
    this.hosts.delete(host);
  }

  async close(): Promise<void> {
    await this.load.stop();
    for (const host of this.hosts) await host.end();
    for (const close of this.#closing) await close();
  }
}

const serverSettings = {
  max_connections: "70",
  deadlock_timeout: "200ms",
  listen_addresses: "127.0.0.1,127.0.0.2",
  max_wal_size: "256MB",
  wal_level: "replica",
  max_wal_senders: "4",
  wal_keep_size: "256MB",
};

/** As short as it may be, 512 kB, so that it can be filled. Before PostgreSQL 17 it is always 8 GB. */
async function shortenNotifyQueue(server: EmbeddedPostgres): Promise<void> {
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const { rows } = await admin.query("select from pg_settings where name = 'max_notify_queue_pages'");
  if (rows.length > 0) await admin.query("alter system set max_notify_queue_pages = 64");
  await admin.end();
  await server.stop();
  await server.start();
}

/** Small blocks of every kind, an empty one among them. */
function chainOf({ seed, history, nullRounds = false }: WorldOptions) {
  return {
    seed,
    transactions: [1, 0, 2, 1, 3],
    logsPerTransaction: 1,
    signatures: "random" as const,
    ...(nullRounds ? filecoin(history) : {}),
    // A long history is built once, into a file that later runs find.
    ...(history > 20_000 && !nullRounds ? { blocks: history } : {}),
  };
}

const filecoinId = 314;
/** More heads than any run mines. */
const mostHeads = 50_000;

/** One number in ten has no block, two in a row among them; on branches other ones than on main. */
function filecoin(history: number) {
  const numbers = Array.from({ length: history + mostHeads }, (_, number) => number);
  // The first blocks are there: an absence is proven by the one before it, too.
  const at = (...rests: number[]) => numbers.filter((number) => number > 3 && rests.includes(number % 20));
  return { chainId: filecoinId, nullRounds: { main: at(7, 8), "*": at(8, 13) } };
}

async function applySchema(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(await readFile(`${projectRoot}schema.sql`, "utf8"));
  await client.end();
}

function withPath(url: string, path: string, login?: { user: string; password: string }): string {
  const changed = new URL(url);
  changed.pathname = path;
  if (login !== undefined) {
    changed.username = login.user;
    changed.password = login.password;
  }
  return changed.href;
}

/** Whether the database could not be asked, or was cut off while it was: not an error of the statement. */
export function isAway(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  // 54000: the queue of notifications is full.
  if (typeof code === "string" && /^(08|57P|53300|54000|ECONN|EPIPE)/.test(code)) return true;
  return /terminat|lost connection to parallel worker|timeout exceeded when trying to connect|starting up|shutting down|not yet accepting/.test(
    String(error),
  );
}
