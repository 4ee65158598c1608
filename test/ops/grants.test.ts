import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import pg from "pg";
import { grantPrivilege } from "../../src/db/grants.js";
import { inTransaction } from "../../src/db/pool.js";
import { blockmill, startBlockmill } from "../cli/blockmill.js";
import { assertCleanStop, numbers, said, setScene, until } from "../daemon/scene.js";
import { createDatabase, emptyDatabase, type TestDatabase } from "../support/database.js";
import { projectRoot } from "../support/project.js";

interface Place {
  database: TestDatabase;
  env: { BLOCKMILL_DATABASE_URL: string };
  worker: string;
  injector: string;
  reader: string;
  /** The same database, as another role. */
  urlOf(role: string): string;
  /** A session of a role, ended with the test. */
  connect(role: string): Promise<pg.Client>;
}

const password = randomBytes(8).toString("hex");

/** A database with three roles that were granted what their names say. Roles belong to the server: they go with the test. */
async function setPlace(t: TestContext): Promise<Place> {
  const database = await createDatabase();
  const suffix = randomBytes(4).toString("hex");
  const [worker = "", injector = "", reader = ""] = ["worker", "injector", "reader"].map(
    (name) => `${name} "${suffix}"`,
  );
  const clients: pg.Client[] = [];
  await makeRoles(t, database, [worker, injector, reader], () =>
    Promise.all(clients.map((client) => client.end())),
  );
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  const granted = await blockmill(
    ["grant", "--worker", worker, "--injector", injector, "--reader", reader],
    env,
  );
  assert.equal(granted.code, 0, granted.stderr);
  const urlOf = (role: string): string => {
    const url = new URL(database.url);
    url.username = encodeURIComponent(role);
    url.password = password;
    return url.href;
  };
  const connect = async (role: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: urlOf(role), application_name: "blockmill-test" });
    await client.connect();
    clients.push(client);
    return client;
  };
  return { database, env, worker, injector, reader, urlOf, connect };
}

async function makeRoles(
  t: TestContext,
  database: TestDatabase,
  roles: string[],
  before: () => Promise<unknown> = async () => {},
): Promise<void> {
  for (const role of roles)
    await database.pool.query(`create role ${pg.escapeIdentifier(role)} login password '${password}'`);
  t.after(async () => {
    await before();
    for (const role of roles.map(pg.escapeIdentifier))
      await database.pool.query(`drop owned by ${role}; drop role ${role}`);
    await database.drop();
  });
}

const refused = { code: "42501" };

async function assertRefused(client: pg.Client, statements: string[]): Promise<void> {
  for (const statement of statements) await assert.rejects(client.query(statement), refused, statement);
}

test("an injector inserts block_number, priority, run_at and metadata, and its job runs like any other", async (t) => {
  const { database, connect, injector } = await setPlace(t);
  const client = await connect(injector);
  const listener = await connect(injector);
  const heard = new Promise((resolve) => listener.once("notification", resolve));
  await listener.query("listen blockmill_jobs_public");

  await client.query("insert into processing_jobs (block_number) select generate_series(1, 3)");
  await heard;
  const again = `insert into processing_jobs (block_number, priority, run_at, metadata)
    values (1, 5, now(), null), (4, 5, now() + interval '1 hour', '{"by": "me"}') on conflict do nothing returning id, status`;
  const { rows } = await client.query(again);
  assert.deepEqual(
    rows.map(({ status }) => status),
    ["scheduled"],
  );
  await client.query(
    "insert into processing_jobs (block_number) values (1) on conflict (block_number) do nothing",
  );
  const seen = await client.query(
    "select block_number, status, priority, run_at, metadata from processing_jobs",
  );
  assert.equal(seen.rows.length, 4);
  const jobs = await database.pool.query(
    "select attempts, worker_id from processing_jobs where block_number = 4",
  );
  assert.deepEqual(jobs.rows, [{ attempts: 0, worker_id: null }]);
});

test("an injector can say nothing else of a job, and touch nothing that is there", async (t) => {
  const { database, connect, injector } = await setPlace(t);
  const client = await connect(injector);
  await database.pool.query("insert into processing_jobs (block_number) values (1)");
  const columns = [
    "status",
    "worker_id",
    "attempts",
    "deaths",
    "claims",
    "block_hash",
    "started_at",
    "completed_at",
    "last_error",
    "result",
    "created_at",
  ];
  await assertRefused(client, [
    ...columns.map((column) => `insert into processing_jobs (block_number, ${column}) values (2, null)`),
    "insert into processing_jobs (block_number, id) overriding system value values (2, 9)",
    "insert into processing_jobs (block_number) values (1) on conflict (block_number) do update set priority = 9",
    "update processing_jobs set priority = 9",
    "update processing_jobs set status = 'cancelled'",
    "select from processing_jobs for update",
    "delete from processing_jobs",
    "truncate processing_jobs",
    "select worker_id from processing_jobs",
    "select last_error from processing_jobs",
    ...others,
    "select from blocks",
    "select from processing_control",
    "insert into processing_ranges (from_block, to_block, next_block) values (1, 2, 1)",
  ]);
});

/** What neither an injector nor a reader may do. */
const others = [
  "update processing_control set paused_at = now()",
  "update processing_control set paused_at = null",
  "update processing_coverage set blocks = '{[0,1000)}'",
  "insert into schema_version (version) values (9)",
  "delete from processing_workers",
  "insert into alerts (kind, message) values ('x', 'y')",
  "insert into blocks (number) values (1)",
  "delete from transactions",
  "create table mine (a int)",
  "create or replace function processing_jobs_notify() returns trigger language plpgsql as 'begin return null; end'",
  "alter function processing_jobs_notify() owner to current_user",
  "alter table processing_jobs disable trigger all",
  "alter table processing_jobs owner to current_user",
  "drop trigger processing_jobs_inserted on processing_jobs",
  "create trigger mine after insert on processing_jobs execute function processing_jobs_notify()",
  "do $$ begin lock table processing_jobs in access exclusive mode; end $$",
  "select setval('processing_jobs_id_seq', 1)",
];

test("a reader reads every table and view, and changes nothing", async (t) => {
  const { database, connect, reader } = await setPlace(t);
  const client = await connect(reader);
  const { rows } = await database.pool.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')`,
  );
  assert.ok(rows.length >= 18);
  for (const { name } of rows) await client.query(`select * from ${name}`);
  await database.pool.query("insert into processing_jobs (block_number) values (1)");
  await assertRefused(client, [
    "insert into processing_jobs (block_number) values (2)",
    "update processing_jobs set status = 'processing', worker_id = 'me', started_at = now()",
    "select from processing_jobs for update skip locked",
    "delete from processing_jobs",
    ...others,
  ]);
});

test("a worker works, and cannot change the schema or say that it is another version", async (t) => {
  const { connect, worker } = await setPlace(t);
  const client = await connect(worker);
  await client.query("update processing_control set reason = null");
  await assertRefused(client, [
    "insert into schema_version (version) values (9)",
    "delete from processing_control",
    "insert into processing_coverage default values",
    "truncate blocks",
    ...others.filter((statement) => /^(create|alter|drop|select setval)/.test(statement)),
  ]);
});

test("a daemon and a range work as the worker role alone: head, range, archive, and the claims of a killed worker and a killed host", async (t) => {
  const place = await setPlace(t);
  const url = place.urlOf(place.worker);
  const scene = await setScene(t, { node: { head: 120 }, database: { url, pool: place.database.pool } });
  await place.database.pool.query("grant all on block_writes to public");
  const config = {
    pipeline: { auto_enqueue: true, check_interval: 0.1, workers: 2 },
    chain: { start_block: 61 },
    queue: { archive_minutes: 0, completed_kept: 0 },
  };
  const covered = async () => {
    const { rows } = await place.database.pool.query(
      "select blocks::text as blocks from processing_coverage",
    );
    return rows[0]?.blocks;
  };
  const lost = await scene.start(config);
  await until(async () => (await covered()) === "{[61,121)}", "the head to be followed");

  await scene.node.setFaults({ hang: true });
  await scene.insert(41, 60);
  const [held] = await scene.claimed(1);
  process.kill(lost.child(held?.worker_id ?? "").pid, "SIGKILL");
  await said(lost, /released its claims/);
  await scene.claimed(1);
  for (const pid of lost.pids()) process.kill(pid, "SIGKILL");
  await scene.node.clearFaults();
  const daemon = await scene.start(config);
  const env = { BLOCKMILL_DATABASE_URL: url, BLOCKMILL_RPC_URLS: scene.node.url };
  const range = await startBlockmill(["range", "1", "40", "--workers", "1"], env);
  const { code, stderr } = await range.ended;
  assert.equal(code, 0, stderr);
  await until(async () => (await covered()) === "{[1,121)}", "all blocks to be archived");
  const history = await place.database.pool.query(
    "select distinct tableoid::regclass::text as part from processing_history",
  );
  assert.deepEqual(history.rows, [{ part: "processing_history_other" }]);
  const stored = await place.database.pool.query("select number::int as number from blocks order by 1");
  assert.deepEqual(
    stored.rows.map(({ number }) => number),
    numbers(1, 120),
  );
  await assertCleanStop(daemon, place.database.pool);

  // Rows of today are in processing_history_other now: the owner's partitions must do without today's.
  const cleanup = await blockmill(["cleanup", "--all"], place.env);
  assert.equal(cleanup.code, 0, cleanup.stderr);
});

test("temporary tables, functions and a search_path of the injector's change nothing about what its insert does", async (t) => {
  const { database, connect, injector } = await setPlace(t);
  const listener = await connect(injector);
  const heard = new Promise((resolve) => listener.once("notification", resolve));
  await listener.query("listen blockmill_jobs_public");
  const client = await connect(injector);
  await client.query(`
    create temp table processing_jobs (block_number bigint, run_at timestamptz);
    create temp table processing_control (paused_at timestamptz);
    create function pg_temp.pg_notify(text, text) returns void language sql as 'select';
    create function pg_temp.left(text, int) returns text language sql as $$ select 'elsewhere' $$;
    create function pg_temp.statement_timestamp() returns timestamptz language sql as $$ select 'infinity'::timestamptz $$;
    set search_path = pg_temp, public, pg_catalog`);
  await client.query(
    "insert into public.processing_jobs (block_number, run_at) values (1, pg_catalog.now()), (2, pg_catalog.now() + interval '1 hour')",
  );
  await heard;
  const { rows } = await database.pool.query("select status from processing_jobs order by block_number");
  assert.deepEqual(
    rows.map(({ status }) => status),
    ["pending", "scheduled"],
  );
});

test("a role that does not exist, that owns the tables, or that is named twice is refused, and nothing is granted", async (t) => {
  const { env, database, reader } = await setPlace(t);
  const { rows } = await database.pool.query("select current_user as owner");
  for (const [args, complaint] of [
    [["--reader", "nobody at all"], /role "nobody at all" does not exist/],
    [["--reader", "public"], /role "public" does not exist/],
    [["--injector", reader, "--reader", "x'; drop table blocks; --"], /does not exist/],
    [["--worker", rows[0].owner], /owns the tables, or is a superuser/],
    [["--reader", reader, "--injector", reader], /a role of its own for each/],
    [[], /expected --worker, --injector, --reader or --consumer/],
  ] as const) {
    const { code, stderr } = await blockmill(["grant", ...args], env);
    assert.equal(code, 2, stderr);
    assert.match(stderr, complaint);
  }
  const insert = await database.pool.query(
    "select has_any_column_privilege($1, 'processing_jobs', 'insert') as may",
    [reader],
  );
  assert.deepEqual(insert.rows, [{ may: false }]);
});

test("names with quotes, spaces and SQL in them are names; other tables of the schema keep their grants", async (t) => {
  const database = await emptyDatabase();
  const suffix = randomBytes(4).toString("hex");
  const names = [
    `o'hara "${suffix}"`,
    `current_schema ${suffix}`,
    `$& ${suffix}; drop schema public cascade; --`,
  ];
  await makeRoles(t, database, names);
  for (const schema of ['Chain "1"', "$& $1; drop role x; --", "current_schema"]) {
    const place = pg.escapeIdentifier(schema);
    await inTransaction(database.pool, async (tx) => {
      await tx.query(`create schema ${place}; set local search_path = ${place}`);
      await tx.query(readFileSync(`${projectRoot}schema.sql`, "utf8"));
      await tx.query("create table unrelated (a int); create table secret (a int)");
      for (const name of names) await tx.query(`grant select on unrelated to ${pg.escapeIdentifier(name)}`);
    });
    // The second time in the other order: a grant replaces what was granted before.
    for (const privileges of [
      ["reader", "worker", "injector"],
      ["worker", "injector", "reader"],
    ] as const) {
      for (const [index, privilege] of privileges.entries())
        await inTransaction(database.pool, (tx) => grantPrivilege(tx, schema, names[index] ?? "", privilege));
    }
    const { rows } = await database.pool.query(
      `select has_table_privilege(role, $1 || '.blocks', 'insert') as works,
         has_column_privilege(role, $1 || '.processing_jobs', 'block_number', 'insert') as injects,
         has_table_privilege(role, $1 || '.blocks', 'select') as reads,
         has_table_privilege(role, $1 || '.unrelated', 'select') as unrelated,
         has_table_privilege(role, $1 || '.secret', 'select') as secret
       from unnest($2::text[]) with ordinality as t (role, place) order by place`,
      [place, names],
    );
    const rest = { unrelated: true, secret: false };
    assert.deepEqual(rows, [
      { works: true, injects: true, reads: true, ...rest },
      { works: false, injects: true, reads: false, ...rest },
      { works: false, injects: false, reads: true, ...rest },
    ]);
  }
});

test("a consumer follows the feed by a reader of its own, and changes nothing else, whatever its session names so", async (t) => {
  const database = await createDatabase();
  const suffix = randomBytes(4).toString("hex");
  const [mine, theirs] = [`consumer "${suffix}"`, `other '${suffix}'`];
  const clients: pg.Client[] = [];
  await makeRoles(t, database, [mine, theirs], () => Promise.all(clients.map((client) => client.end())));
  const env = { BLOCKMILL_DATABASE_URL: database.url };
  for (const role of [mine, theirs]) {
    const { code, stderr } = await blockmill(["grant", "--consumer", role], env);
    assert.equal(code, 0, stderr);
  }
  await database.pool.query(`
    insert into chain_feed (from_block, told, last_id) values (1, '{[1,3)}', 2);
    update processing_coverage set feed = true;
    insert into chain_changes (id, kind, number) values (1, 'apply', 1), (2, 'apply', 2)`);
  const connect = async (role: string): Promise<pg.Client> => {
    const url = new URL(database.url);
    url.username = encodeURIComponent(role);
    url.password = password;
    const client = new pg.Client({ connectionString: url.href, application_name: "blockmill-test" });
    await client.connect();
    clients.push(client);
    return client;
  };
  const client = await connect(mine);
  // Tables of these names come first on its search_path, as pg_temp does.
  await client.query(`
    create temp table chain_readers (name text); create temp table chain_feed (last_id bigint);
    create temp table processing_coverage (one boolean)`);
  await client.query("select public.start_reader('mine', 0)");
  const take = async (session: pg.Client): Promise<number> => {
    await session.query("begin isolation level repeatable read");
    try {
      const { rows } = await session.query("select id from public.read_changes('mine')");
      if (rows.length > 0) await session.query("select public.advance_reader('mine', $1)", [rows.at(-1).id]);
      return rows.length;
    } finally {
      await session.query("commit");
    }
  };
  assert.equal(await take(client), 2);
  assert.equal(await take(client), 0);
  await client.query(
    "select from blocks_hex, transactions, dropped_logs, dropped(null::logs, 1), chain_changes",
  );

  const stranger = await connect(theirs);
  for (const statement of ["select start_reader('mine')", "select advance_reader('mine', 2)"])
    await assert.rejects(stranger.query(statement), { code: "55000", message: /belongs to/ }, statement);
  await assert.rejects(take(stranger), { code: "55000", message: /belongs to the role/ });
  // The owner may.
  const owner = await database.pool.connect();
  await owner.query("select start_reader('mine', 0)");
  owner.release();
  assert.equal(await take(client), 2);
  await assertRefused(stranger, [
    "update chain_readers set pinned = true",
    "delete from chain_readers",
    "insert into chain_changes (id, kind, number) values (3, 'apply', 3)",
    "delete from dropped_rows",
    "select stop_feed()",
    "select visible_changes('mine', 1)",
    "select refuse_reader('a', 'b')",
    "select from processing_jobs",
    "select from processing_coverage for update",
    "delete from blocks",
  ]);
});
