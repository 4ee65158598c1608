import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type Listener, listen } from "../../src/db/listen.js";
import { DatabaseUnavailableError } from "../../src/errors.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { freePort } from "../support/free-port.js";
import { waitFor } from "../support/process.js";

let database: TestDatabase;

before(async () => {
  database = await createDatabase();
});

after(() => database.drop());

const channel = "blockmill_jobs_public";

interface Ear extends Listener {
  name: string;
  hints: number;
  listenings: number;
  lost: unknown[];
}

let ears = 0;

/** A listener that counts what it hears. `look` is called at whatever would make a worker look. */
function openEar(url = database.url, look: () => void = () => {}): Ear {
  ears += 1;
  const ear: Ear = {
    name: `blockmill-test ear ${process.pid} ${ears}`,
    hints: 0,
    listenings: 0,
    lost: [],
    close: () => listener.close(),
    pulseSent: () => listener.pulseSent(),
  };
  const listener = listen({
    url,
    schema: "public",
    applicationName: ear.name,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 2_000,
    channel,
    onNotification() {
      ear.hints += 1;
      look();
    },
    onListening() {
      ear.listenings += 1;
      look();
    },
    onLost: (error) => ear.lost.push(error),
  });
  return ear;
}

const listening = (ear: Ear, times = 1) => waitFor(() => ear.listenings >= times, { what: "it to listen" });

async function sessionsOf(name: string): Promise<{ pid: number; query: string; state_change: Date }[]> {
  const { rows } = await database.pool.query(
    "select pid, query, state_change from pg_stat_activity where application_name = $1",
    [name],
  );
  return rows;
}

const terminate = (name: string) =>
  database.pool.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", [
    name,
  ]);

test("a notification is heard, whatever its payload, and those of other channels are not", async () => {
  const ear = openEar();
  try {
    await listening(ear);
    await database.pool.query("notify something_else");
    for (const payload of ["", "x", '{"a": 1}', "y".repeat(7_000)]) {
      await database.pool.query("select pg_notify($1, $2)", [channel, payload]);
    }
    await waitFor(() => ear.hints === 4, { what: "four hints" });
    assert.deepEqual(ear.lost, []);
  } finally {
    await ear.close();
  }
});

test("a lost connection is told, and replaced by another that listens", async () => {
  const ear = openEar();
  try {
    await listening(ear);
    for (let times = 2; times <= 4; times += 1) {
      await terminate(ear.name);
      await listening(ear, times);
    }
    assert.equal(ear.lost.length, 3);
    assert(ear.lost.every((error) => error instanceof DatabaseUnavailableError));
    assert.equal((await sessionsOf(ear.name)).length, 1);
    const before = ear.hints;
    await database.pool.query("insert into processing_jobs (block_number) values (1)");
    await waitFor(() => ear.hints > before, { what: "a hint on the new connection" });
  } finally {
    await ear.close();
  }
});

test("no hint is lost around a lost connection: whoever looks when told sees every insert", async () => {
  await database.pool.query("truncate processing_jobs");
  let seen = 0;
  const looks: Promise<void>[] = [];
  const look = () => {
    const count = database.pool.query<{ count: string }>("select count(*) from processing_jobs");
    looks.push(
      count.then(({ rows }) => {
        seen = Math.max(seen, Number(rows[0]?.count));
      }),
    );
  };
  const ear = openEar(database.url, look);
  try {
    await listening(ear);
    for (let round = 1; round <= 12; round += 1) {
      const insert = async () => {
        // From the moment of the loss to well after the new connection is there.
        await sleep((round % 6) * 60);
        await database.pool.query("insert into processing_jobs (block_number) values ($1)", [round]);
      };
      await Promise.all([terminate(ear.name), insert()]);
      await waitFor(() => seen === round, { what: `insert ${round} to be noticed` });
      await waitFor(async () => (await sessionsOf(ear.name)).length === 1, { what: "the new connection" });
    }
  } finally {
    await ear.close();
    await Promise.all(looks);
  }
});

test("while it listens it sends no statement", async () => {
  const ear = openEar();
  try {
    await listening(ear);
    await database.pool.query("select pg_notify($1, '')", [channel]);
    await waitFor(() => ear.hints === 1, { what: "a hint" });
    const before = await sessionsOf(ear.name);
    await sleep(2_500);
    assert.deepEqual(await sessionsOf(ear.name), before);
    assert.match(before[0]?.query ?? "", /^LISTEN/);
  } finally {
    await ear.close();
  }
});

for (const mode of ["fast", "immediate"] as const) {
  test(`it listens again after the server was stopped (${mode}) and started`, async () => {
    const server = await startEmbeddedPostgres();
    const ear = openEar(server.url);
    try {
      await listening(ear);
      await server.stop(mode);
      await waitFor(() => ear.lost.length >= 2, { what: "the loss, and one try in vain" });
      await server.start();
      await listening(ear, 2);
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      await client.query("select pg_notify($1, '')", [channel]);
      await client.end();
      await waitFor(() => ear.hints === 1, { what: "a hint after the restart" });
    } finally {
      await ear.close();
      await server.destroy();
    }
  });
}

test("closed, it leaves no connection behind and makes none, whatever it was doing", async () => {
  const closeWhen: Record<string, (ear: Ear) => Promise<unknown>> = {
    "before it is connected": async () => {},
    "while it connects": () => sleep(3),
    "while it listens": (ear) => listening(ear),
    "while it waits to connect again": async (ear) => {
      await listening(ear);
      await terminate(ear.name);
      await waitFor(() => ear.lost.length === 1, { what: "the loss" });
    },
  };
  const names: string[] = [];
  for (const [what, when] of Object.entries(closeWhen)) {
    const ear = openEar();
    names.push(ear.name);
    await when(ear);
    await ear.close();
    await ear.close();
    const gone = async () => (await sessionsOf(ear.name)).length === 0;
    await waitFor(gone, { what: `no connection of what was closed ${what}` });
  }
  // Longer than it would wait to try again.
  await sleep(600);
  for (const name of names) assert.deepEqual(await sessionsOf(name), []);
});

test("closed while the server is away, it stops trying", async () => {
  const url = `postgres://x:y@127.0.0.1:${await freePort()}/x`;
  const ear = openEar(url);
  await waitFor(() => ear.lost.length >= 2, { what: "two tries in vain" });
  await ear.close();
  const tries = ear.lost.length;
  await sleep(600);
  assert.equal(ear.lost.length, tries);
});
