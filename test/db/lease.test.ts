import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { asDatabaseError, isFullNotifyQueue } from "../../src/db/database-error.js";
import { holdLease, type LeaseOptions } from "../../src/db/lease.js";
import { DatabaseUnavailableError } from "../../src/errors.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { type Program, patienceMs, spawnProgram, waitFor } from "../support/process.js";

let database: TestDatabase;

before(async () => {
  database = await createDatabase();
});

after(() => database.drop());

const leaseMs = 1_200;

function optionsFor(name: string, url = database.url) {
  return {
    url,
    schema: "public",
    applicationName: `blockmill-test lease ${name}`,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 30_000,
    key: "the lease",
    leaseMs,
    retryMs: 50,
  };
}

/** Holds the lease in this process, and notes what happens to it. */
function hold(name: string, more: Partial<LeaseOptions> = {}) {
  const ends = new AbortController();
  const events: string[] = [];
  const lost: unknown[] = [];
  const validForMs: number[] = [];
  const ended = holdLease({
    ...optionsFor(name, more.url),
    signal: ends.signal,
    onHeld(_session, event, ms) {
      events.push(event);
      validForMs.push(ms);
    },
    onLost(error) {
      events.push("lost");
      lost.push(error);
    },
    onRefused: () => events.push("refused"),
    ...more,
  });
  const count = (event: string) => events.filter((each) => each === event).length;
  const until = (event: string, times = 1) =>
    waitFor(() => count(event) >= times, { what: `${name}: ${event} ${times}` });
  const end = async () => {
    ends.abort();
    await ended;
  };
  return { events, lost, validForMs, count, until, end };
}

/** Holds the lease in a process of its own. */
function spawnHolder(name: string, more: Partial<LeaseOptions> = {}): Promise<Program> {
  return spawnProgram([], {
    script: fileURLToPath(new URL("lease-holder.js", import.meta.url)),
    env: { LEASE_OPTIONS: JSON.stringify({ ...optionsFor(name), ...more }) },
  });
}

async function lockHolders(): Promise<string[]> {
  const { rows } = await database.pool.query<{ application_name: string }>(
    `select application_name from pg_locks join pg_stat_activity using (pid)
     where locktype = 'advisory' and granted and database = (select oid from pg_database where datname = current_database())`,
  );
  return rows.map(({ application_name }) => application_name);
}

test("a lease is held, kept by pings for longer than it is long, and given up at the end", async () => {
  const a = hold("a");
  try {
    await a.until("pinged", 6);
    assert.deepEqual(await lockHolders(), ["blockmill-test lease a"]);
    assert.equal(a.count("taken"), 1);
    assert(a.validForMs.every((ms) => ms > 0 && ms <= leaseMs));
  } finally {
    await a.end();
  }
  await waitFor(async () => (await lockHolders()).length === 0, { what: "the lock to be free" });
  const sessions = "select from pg_stat_activity where application_name like 'blockmill-test lease%'";
  await waitFor(async () => (await database.pool.query(sessions)).rowCount === 0, {
    what: "no session left",
  });
});

test("two holders exclude each other, and the second takes what the first gives up", async () => {
  const a = hold("a");
  await a.until("taken");
  const b = hold("b");
  try {
    await b.until("refused", 3);
    assert.equal(b.count("taken"), 0);
    await a.end();
    await b.until("taken");
    assert.deepEqual(await lockHolders(), ["blockmill-test lease b"]);
  } finally {
    await a.end();
    await b.end();
  }
});

test("leases of different keys do not exclude each other", async () => {
  const a = hold("a", { key: "one" });
  const b = hold("b", { key: "other" });
  try {
    await Promise.all([a.until("taken"), b.until("taken")]);
  } finally {
    await Promise.all([a.end(), b.end()]);
  }
});

test("a lease whose session is terminated is told as lost, and taken again", async () => {
  const a = hold("a");
  try {
    for (let times = 1; times <= 3; times += 1) {
      await a.until("taken", times);
      await database.pool.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'blockmill-test lease a'",
      );
      await a.until("lost", times);
    }
    await a.until("taken", 4);
    assert(a.lost.every((error) => error instanceof DatabaseUnavailableError));
  } finally {
    await a.end();
  }
});

test("the lease of a frozen process falls in its time, another takes it, and the thawed one knows", async () => {
  const frozen = await spawnHolder("frozen");
  await frozen.line(/taken/);
  const next = hold("next");
  try {
    await next.until("refused");
    await frozen.line(/pinged/, { from: frozen.output.length });
    const seen = frozen.output.length;
    frozen.child.kill("SIGSTOP");
    const started = performance.now();
    await next.until("taken");
    const ms = performance.now() - started;
    assert(ms > leaseMs / 2, `the lease fell after ${ms} ms`);

    frozen.child.kill("SIGCONT");
    await frozen.line(/lost/, { from: seen });
    await frozen.line(/refused/, { from: seen });
    assert(!frozen.output.slice(seen).includes("taken"));
  } finally {
    await next.end();
    frozen.child.kill("SIGCONT");
    await frozen.kill("SIGKILL");
  }
});

test("the lease of a killed process falls at once", async () => {
  // So long that a lease which only runs out is not waited for.
  const killed = await spawnHolder("killed", { leaseMs: 2 * patienceMs });
  await killed.line(/taken/);
  const next = hold("next");
  try {
    await next.until("refused");
    killed.child.kill("SIGKILL");
    await next.until("taken");
  } finally {
    await next.end();
    await killed.kill("SIGKILL");
  }
});

test("a lease is taken again after the server was restarted", async () => {
  const server = await startEmbeddedPostgres();
  const a = hold("a", { url: server.url });
  try {
    await a.until("taken");
    await server.stop("immediate");
    await a.until("lost");
    await server.start();
    await a.until("taken", 2);
  } finally {
    await a.end();
    await server.destroy();
  }
});

test("an end that is asked for while the server is away comes at once", async () => {
  const a = hold("a", { url: "postgres://x:y@127.0.0.1:1/x", retryMs: 60_000 });
  await a.until("lost");
  await a.end();
});

test("a ping that does not come back within half a lease means that the lease is lost", async () => {
  // A server of its own: one of its backends is frozen, as if the network had swallowed it.
  const server = await startEmbeddedPostgres();
  let backend = 0;
  const a = hold("a", {
    url: server.url,
    async onHeld(session, event) {
      if (event === "pinged") return;
      const { rows } = await session.query<{ pid: number }>("select pg_backend_pid() as pid");
      backend = rows[0]?.pid ?? 0;
    },
  });
  try {
    await waitFor(() => backend, { what: "the lease" });
    process.kill(backend, "SIGSTOP");
    // Nothing but the ping's own bound ends the wait for the frozen backend.
    await a.until("lost");
    // The frozen backend still holds the lock; it lets go when it finds that nobody is there.
    await a.until("refused");
    const before = backend;
    process.kill(backend, "SIGCONT");
    await waitFor(() => backend !== before, { what: "the lease again" });
  } finally {
    await a.end();
    await server.destroy();
  }
});

test("a full queue of notifications costs no lease, and pings notify again when its last reader has caught up", async (t) => {
  const server = await startEmbeddedPostgres();
  t.after(() => server.destroy());
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  const { rowCount } = await admin.query("select from pg_settings where name = 'max_notify_queue_pages'");
  if (!rowCount) {
    await admin.end();
    return t.skip("before PostgreSQL 17 the queue holds 8 GB");
  }
  await admin.query("alter system set max_notify_queue_pages = 64");
  await admin.end();
  await server.stop();
  await server.start();
  const [sleeper, writer] = [1, 2].map(() => new pg.Client({ connectionString: server.url }));
  assert(sleeper && writer);
  await Promise.all([sleeper.connect(), writer.connect()]);

  const lease = hold("a", { url: server.url, pulseChannel: "pulse" });
  await lease.until("pinged");
  await sleeper.query("listen somewhere");
  await sleeper.query("begin");
  await assert.rejects(async () => {
    for (;;) await writer.query("select pg_notify('somewhere', repeat('x', 7900))");
  }, isFullNotifyQueue);
  const error = await writer.query("select pg_notify('somewhere', 'y')").catch(asDatabaseError);
  assert(error instanceof DatabaseUnavailableError, String(error));
  await lease.until("kept", 3);

  await sleeper.query("rollback");
  const before = lease.count("pinged");
  await lease.until("pinged", before + 2);
  assert.equal(lease.count("lost"), 0);
  await writer.query("select pg_notify('somewhere', 'z')");
  await lease.end();
  await Promise.all([sleeper.end(), writer.end()]);
  return undefined;
});
