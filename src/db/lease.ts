import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { mustYield, tryLock } from "./advisory-locks.js";
import { type ConnectionOptions, connectionConfig } from "./connection.js";
import { asDatabaseError, isFullNotifyQueue } from "./database-error.js";

export interface LeaseOptions extends ConnectionOptions {
  /** What the lease is of: the lock is hashtextextended(key, 0). */
  key: string;
  /** Silence after which PostgreSQL ends the session, and with it the lock. */
  leaseMs: number;
  /** How soon to try again when the database went away. It doubles with each try, up to `mostRetryMs`. */
  retryMs: number;
  /** How often to try again while somebody else holds it; as `retryMs` unless stated. */
  refusedMs?: number;
  signal: AbortSignal;
  /** A channel that every ping notifies: who listens there hears whether its own connection lives. */
  pulseChannel?: string;
  /** Called on the lease's session before each try. Returns whether to try at all. */
  mayTry?(session: pg.Client): Promise<boolean>;
  /**
   * Called on the lease's own session when it was taken, and at every ping; `kept`: the ping could not notify
   * `pulseChannel`. `validForMs`: how long from now the lease surely holds.
   */
  onHeld(session: pg.Client, event: "taken" | "pinged" | "kept", validForMs: number): Promise<void> | void;
  /** Called when the session is lost. It is made anew by itself. */
  onLost(error: unknown): void;
  /** Called when it is taken, or refused, beside strangers who hold so many of its keys (advisory-locks.ts). */
  onStrangers?(keys: number): void;
  /** Called each time somebody else was found to hold it. */
  onRefused?(): void;
}

/** A database that is back is found within this time. */
const mostRetryMs = 2_000;

/**
 * Holds a lease until `signal` aborts: a session of its own that holds an advisory lock, and is kept
 * alive by a ping from this process's event loop. When the process dies, freezes or loses the network,
 * PostgreSQL ends the session (idle_session_timeout), the lock falls, and others may take it. A lost
 * lease is taken again.
 */
export async function holdLease(options: LeaseOptions): Promise<void> {
  const { signal } = options;
  let waitMs = options.retryMs;
  while (!signal.aborted) {
    try {
      await holdOnce(options, () => {
        waitMs = options.retryMs;
      });
    } catch (error) {
      if (signal.aborted) return;
      options.onLost(asDatabaseError(error));
      await pause(waitMs, signal);
      waitMs = Math.min(mostRetryMs, waitMs * 2);
    }
  }
}

async function holdOnce(options: LeaseOptions, onSession: () => void): Promise<void> {
  const { key, leaseMs, refusedMs = options.retryMs, signal, mayTry = async () => true } = options;
  const session = new pg.Client({
    ...connectionConfig(options),
    // A ping that does not come back within half a lease means that the lease cannot be relied on.
    query_timeout: leaseMs / 2,
    statement_timeout: leaseMs / 2,
  });
  const ended = new AbortController();
  let reason: unknown = new Error("Connection terminated");
  session.on("error", (error) => {
    reason = error;
    ended.abort();
  });
  const end = (): void => ended.abort();
  session.on("end", end);
  signal.addEventListener("abort", end);
  try {
    await session.connect();
    await session.query(`set idle_session_timeout = ${leaseMs}`);
    onSession();
    let asked = performance.now();
    let ending: number | undefined;
    for (;;) {
      const { taken, ...lock } = (await mayTry(session))
        ? await tryLock(session, key, "session")
        : { taken: false, ending: -1, strangers: 0 };
      if (lock.strangers > 0) options.onStrangers?.(lock.strangers);
      if (taken) {
        ending = lock.ending;
        break;
      }
      options.onRefused?.();
      await pause(refusedMs, ended.signal);
      if (signal.aborted) return;
      if (ended.signal.aborted) throw reason;
      asked = performance.now();
    }
    await options.onHeld(session, "taken", leaseMs - (performance.now() - asked));
    for (;;) {
      // Renew well before half the lease: after a whole one it is handed on.
      await pause(leaseMs / 3, ended.signal);
      if (signal.aborted) return;
      if (ended.signal.aborted) throw reason;
      asked = performance.now();
      const event = await ping(session, options.pulseChannel);
      if (await mustYield(session, key, ending)) throw new Error("another session took the lease as well");
      await options.onHeld(session, event, leaseMs - (performance.now() - asked));
    }
  } finally {
    signal.removeEventListener("abort", end);
    await session.end().catch(() => {});
  }
}

async function ping(session: pg.Client, pulseChannel: string | undefined): Promise<"pinged" | "kept"> {
  try {
    if (pulseChannel === undefined) await session.query("select 1");
    else await session.query("select pg_notify($1, '')", [pulseChannel]);
    return "pinged";
  } catch (error) {
    if (!isFullNotifyQueue(error)) throw error;
    // A full queue stays full when its last reader has caught up: only who notifies moves its end, and nobody
    // can. Asking how full it is moves it too.
    await session.query("select pg_notification_queue_usage()");
    return "kept";
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
