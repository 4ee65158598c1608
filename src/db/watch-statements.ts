import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { type ConnectionOptions, poolConfig } from "./connection.js";
import { PoolClient } from "./pool-client.js";

const tickMs = 1_000;
/** So many ticks in a row without an answer, and without a byte, before the server is asked. */
const patienceTicks = 3;
/** What a slow line carries in a tick: a long statement takes its time to arrive. */
const slowestBytesPerTick = 1_000_000;
/** A statement that runs long is looked at less and less often, but so often. */
const rarestTicks = 30;
/** What the server has just said or heard may be on its way for so long. */
const graceMs = 500;
/** Until then, what a server that waits for us has said may still arrive by itself. */
const settledMs = 1_000;
/** What is asked of the server takes so long at most; otherwise nothing is known. */
const lookMs = 2_000;

/**
 * Notices a connection that is silently dead while a statement is out on it: a firewall has forgotten it,
 * packets go nowhere, and TCP itself would take a quarter of an hour to say so. Every statement that is out
 * for more than two seconds or so is looked for over a fresh connection. If the server does not have it any
 * more, or waits for us in its turn, the old connection is ended on both sides, and the statement fails as on
 * one that was lost (DatabaseUnavailableError). A statement that runs long, or waits for a lock, goes on; one
 * of which nothing can be learnt as well.
 *
 * One timer, and only while a connection is in use. A look takes one connection beyond the pool's, for a moment.
 */
export function watchStatements(pool: pg.Pool, options: ConnectionOptions): void {
  const watches = new Map<PoolClient, Watch>();
  let timer: NodeJS.Timeout | undefined;
  let looking = false;

  const tick = (): void => {
    if (pool.totalCount === pool.idleCount) {
      clearInterval(timer);
      timer = undefined;
      return;
    }
    const suspects = [...watches].flatMap(([client, watch]) => (watch.tick() ? [{ client, watch }] : []));
    if (suspects.length === 0 || looking) return;
    looking = true;
    const idle = (): PoolClient[] =>
      [...watches].flatMap(([client, { isInUse }]) => (isInUse ? [] : [client]));
    void lookFor(suspects, idle, options).finally(() => {
      looking = false;
    });
  };
  const use = (client: pg.PoolClient, isInUse: boolean): void => {
    const watch = client instanceof PoolClient ? watches.get(client) : undefined;
    if (watch !== undefined) watch.isInUse = isInUse;
  };
  pool.on("connect", (client) => {
    if (client instanceof PoolClient) watches.set(client, new Watch(client));
  });
  pool.on("remove", (client) => {
    if (client instanceof PoolClient) watches.delete(client);
  });
  pool.on("acquire", (client) => {
    use(client, true);
    timer ??= setInterval(tick, tickMs).unref();
  });
  pool.on("release", (_error, client) => use(client, false));
}

/** What is remembered of a connection from tick to tick. */
class Watch {
  isInUse = false;
  readonly #client: PoolClient;
  #number = 0;
  #moved = 0;
  #ticks = 0;
  #dueTicks = patienceTicks;

  constructor(client: PoolClient) {
    this.#client = client;
  }

  /** Whether its statement should be looked for. */
  tick(): boolean {
    const awaited = this.#client.awaited;
    if (awaited === undefined || !this.isStill()) {
      this.#number = awaited?.number ?? 0;
      this.#moved = awaited?.moved ?? 0;
      this.#ticks = 0;
      this.#dueTicks = patienceTicks + Math.floor((awaited?.sentBytes ?? 0) / slowestBytesPerTick);
    }
    this.#ticks += 1;
    return awaited !== undefined && this.#ticks >= this.#dueTicks;
  }

  /** Whether the same statement is out, and no byte came or went since the tick before. */
  isStill(): boolean {
    const awaited = this.#client.awaited;
    return awaited !== undefined && awaited.number === this.#number && awaited.moved === this.#moved;
  }

  runsLong(): void {
    this.#dueTicks = this.#ticks + Math.min(Math.ceil(this.#ticks / 2), rarestTicks);
  }
}

interface Suspect {
  client: PoolClient;
  watch: Watch;
}

async function lookFor(
  suspects: Suspect[],
  idle: () => PoolClient[],
  options: ConnectionOptions,
): Promise<void> {
  const server = new PoolClient({
    ...poolConfig(options),
    connectionTimeoutMillis: Math.min(lookMs, options.connectTimeoutMs),
    query_timeout: lookMs,
  });
  server.on("error", () => {});
  try {
    await server.connect();
    // Behind a pooler that was taken for PostgreSQL, the numbers of the processes are not the server's.
    if (options.poolUrl === undefined && !(await knowsItself(server))) {
      for (const { watch } of suspects) watch.runsLong();
      return;
    }
    const lost = await findLost(server, suspects);
    if (lost.length === 0) return;
    // Those that nobody uses went the same way: whoever tries again must not meet one of them.
    const others = idle();
    for (const client of others) client.cut("another connection of the pool was dead");
    for (const client of lost) client.cut("PostgreSQL does not have the statement that is awaited on it");
    if (options.poolUrl === undefined) await endIdle(server, others);
  } catch {
    // Nothing was learnt: the next tick tries again.
  } finally {
    void server.end().catch(() => {});
  }
}

async function knowsItself(server: PoolClient): Promise<boolean> {
  const { rows } = await server.query<{ pid: number }>("select pg_backend_pid() as pid");
  return rows[0]?.pid === server.processID;
}

/** Those whose statement is lost, after their sessions were ended on the server: they may hold locks. */
async function findLost(server: PoolClient, suspects: Suspect[]): Promise<PoolClient[]> {
  const doubtful: (Suspect & { first: Found | undefined })[] = [];
  for (const { client, watch } of suspects) {
    const first = await find(server, client);
    const verdict = verdictOn(first);
    if (verdict === "runs") watch.runsLong();
    if (verdict === "lost") doubtful.push({ client, watch, first });
  }
  if (doubtful.length > 0) await sleep(graceMs);
  const lost: PoolClient[] = [];
  for (const { client, watch, first } of doubtful) {
    const second = await find(server, client);
    // An answer that came meanwhile, or a server that went on.
    if (!watch.isStill() || second?.since !== first?.since || second?.copied !== first?.copied) continue;
    if (verdictOn(second) !== "lost") continue;
    if (second !== undefined) await end(server, second).catch(() => {});
    lost.push(client);
  }
  return lost;
}

/** What the server says of the process that should have the statement. */
interface Found {
  pid: number;
  state: string | null;
  waits_for: string | null;
  /** Since when it is in this state, in seconds since 1970, and ... */
  since: string;
  /** ... for how long. */
  since_ms: number;
  /** Bytes that a COPY has taken so far. */
  copied: number | null;
}

const findStatement = `
  select activity.pid, state, wait_event as waits_for, bytes_processed as copied,
    extract(epoch from state_change)::text as since,
    (1000 * extract(epoch from clock_timestamp() - state_change))::float8 as since_ms
  from pg_stat_activity as activity left join pg_stat_progress_copy using (pid)
  where activity.pid = $1 and activity.datname = current_database() and usename = session_user
    and ($2::text is null or extract(epoch from xact_start)::text = $2)`;

async function find(server: PoolClient, client: PoolClient): Promise<Found | undefined> {
  const { pid, began } = client.awaited ?? {};
  // A begin that went through a pooler, behind which this question has come through.
  if (pid === undefined) return undefined;
  const { rows } = await server.query<Found>(findStatement, [pid, began ?? null]);
  return rows[0];
}

/** Lost: the process is gone, or waits for us while we wait for it. */
function verdictOn(found: Found | undefined): "lost" | "runs" | "unknown" {
  if (found === undefined) return "lost";
  const { state, waits_for, since_ms } = found;
  if (state?.startsWith("idle")) return since_ms > settledMs ? "lost" : "unknown";
  if (state !== "active") return "runs";
  return waits_for === "ClientRead" || waits_for === "ClientWrite" ? "lost" : "runs";
}

async function end(server: PoolClient, { pid, since }: Found): Promise<void> {
  await server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where pid = $1 and usename = session_user and extract(epoch from state_change)::text = $2`,
    [pid, since],
  );
}

async function endIdle(server: PoolClient, clients: readonly PoolClient[]): Promise<void> {
  await server.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where pid = any ($1::int[]) and usename = session_user and state = 'idle'`,
    [clients.map(({ processID }) => processID)],
  );
}
