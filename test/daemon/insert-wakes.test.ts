import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { applySchema } from "../../src/db/schema.js";
import { startEmbeddedPostgres } from "../support/embedded-postgres.js";
import { assertCleanStop, numbers, setScene, until } from "./scene.js";

test("an INSERT wakes sleeping workers, and the blocks' rows are there when their jobs are completed", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start();
  // As psql would: a client of its own, one statement.
  const client = new pg.Client({ connectionString: scene.databaseUrl });
  await client.connect();
  const inserted = performance.now();
  await client.query("INSERT INTO processing_jobs (block_number) SELECT generate_series(1, 40)");
  await client.end();
  await until(async () => (await scene.jobs()).some(({ attempts }) => attempts > 0), "a claim");
  t.diagnostic(`first claim seen ${Math.round(performance.now() - inserted)} ms after the INSERT began`);

  const jobs = await scene.settled();
  assert(jobs.every(({ attempts, deaths }) => attempts === 1 && deaths === 0));
  await scene.assertWrittenOnce(numbers(1, 40));
  const { rows } = await scene.pool.query<Record<"transactions" | "logs" | "told", number>>(
    `select (select count(*) from transactions)::int as transactions, (select count(*) from logs)::int as logs,
       (select sum((result->>'transactions')::int) from processing_jobs)::int as told`,
  );
  const [stored] = rows;
  assert(stored !== undefined && stored.logs > 0);
  assert.deepEqual([stored.transactions, stored.told], [80, 80]);
  await assertCleanStop(daemon, scene.pool);
});

test("a job that somebody had locked when it was looked for is found when it is free again", async (t) => {
  const scene = await setScene(t);
  // Pings of the lease come more often than sweeps, which wake the workers: so there is one between two looks.
  const daemon = await scene.start({ pipeline: { check_interval: 3 }, database: { lease_seconds: 2.4 } });
  const someone = await scene.pool.connect();
  try {
    await scene.pool.query("update processing_control set paused_at = now()");
    await scene.insert(5);
    await someone.query("begin");
    await someone.query("select from processing_jobs for update");
    const { rows } = await scene.pool.query<{ now: string }>("select clock_timestamp()::text as now");
    await scene.pool.query("update processing_control set paused_at = null");
    // Each of the two workers looks, in vain, and sleeps again by the time that the lease is renewed.
    const looks = async () => {
      const claims = await scene.pool.query(
        `select distinct claims.application_name from pg_stat_activity as claims
         join pg_stat_activity as lease on lease.datname = claims.datname and lease.application_name ~ ' lease$'
         where claims.datname = current_database() and claims.application_name ~ '/w[0-9]+$'
           and claims.query like '%skip locked%' and claims.state = 'idle'
           and claims.query_start > $1 and claims.query_start < lease.query_start`,
        [rows[0]?.now],
      );
      return claims.rows.length === 2;
    };
    await until(looks, "both workers to have looked");
    await someone.query("rollback");
  } finally {
    someone.release();
  }
  await scene.settled();
  await assertCleanStop(daemon, scene.pool);
});

test("a job with a time in the future runs when it is due, and not before", async (t) => {
  const scene = await setScene(t);
  // No sweep comes to help.
  const daemon = await scene.start({ pipeline: { check_interval: 3_600 } });
  await scene.pool.query(
    "insert into processing_jobs (block_number, run_at) values (5, now() + interval '2 seconds')",
  );
  await scene.settled();
  const { rows } = await scene.pool.query(
    "select extract(epoch from started_at - run_at)::float8 as late from processing_jobs",
  );
  const { late } = rows[0] as { late: number };
  t.diagnostic(`it ran ${late} s after it was due`);
  assert(late >= 0, `${-late} s before it was due`);
  await assertCleanStop(daemon, scene.pool);
});

/** What each connection of a daemon sent, by its application_name without the first word. */
function statementsIn(log: string): Map<string, string[]> {
  const statements = new Map<string, string[]>();
  // Lines of one statement after its first begin with a tab.
  for (const entry of log.replaceAll("\n\t", " ").split("\n")) {
    const [, name, text] = /^blockmill ([^|]*)\|.*?(?:statement|execute [^:]*): (.*)/.exec(entry) ?? [];
    if (name !== undefined) statements.set(name, [...(statements.get(name) ?? []), text ?? ""]);
  }
  return statements;
}

test("between jobs the workers send no statement at all, and the whole daemon hardly any", async (t) => {
  const server = await startEmbeddedPostgres({
    settings: { log_statement: "all", log_line_prefix: "%a|", log_min_messages: "warning" },
  });
  t.after(() => server.destroy());
  const pool = new pg.Pool({ connectionString: server.url, max: 2, application_name: "blockmill-test" });
  pool.on("error", () => {});
  t.after(() => pool.end());
  await applySchema(pool, "public");
  const scene = await setScene(t, { database: { url: server.url, pool } });
  // As people have it: the defaults, the head followed too.
  const daemon = await scene.start({
    pipeline: { auto_enqueue: true, check_interval: 30 },
    database: { lease_seconds: 4 },
  });
  const ids = daemon.workers().map(({ workerId }) => workerId);
  const log = (from = 0): string => readFileSync(server.logFile, "utf8").slice(from);
  const workersSince = (from: number) =>
    [...statementsIn(log(from))].filter(([name]) => /\/w\d+( listen)?$/.test(name));
  await until(
    () =>
      ids.every((id) =>
        statementsIn(log())
          .get(`${id} listen`)
          ?.some((text) => /^LISTEN/i.test(text)),
      ),
    "the workers to be listening",
  );
  const inserted = log().length;
  await scene.insert(1, 10);
  await scene.settled();
  // The notification wakes each of them, however late: who has not looked yet is still to do so.
  await until(() => {
    const looked = new Set(workersSince(inserted).map(([name]) => name));
    return ids.every((id) => looked.has(id));
  }, "every worker to have looked");
  await until(async () => {
    const from = log().length;
    await sleep(1_000);
    return workersSince(from).length === 0;
  }, "the workers to have done so to the end");

  const logged = log().length;
  const from = performance.now();
  // Silence is what is proven here.
  await sleep(8_000);
  const sent = log(logged);
  // A busy machine sleeps longer.
  const seconds = Math.ceil((performance.now() - from) / 1_000);
  assert.deepEqual(workersSince(logged), []);
  const statements = statementsIn(sent);
  const all = [...statements.values()].flat();
  for (const [name, each] of statements)
    t.diagnostic(`${name.replace(/^[^/ ]*/, "")}: ${each.length} in ${seconds} s`);
  assert(all.length > 0, "the leases are pinged");
  // Three a second, and the two of the thorough sweep that comes once in check_interval.
  assert(all.length <= 3 * seconds + 2, `${all.length} statements in ${seconds} s:\n${all.join("\n")}`);
  await assertCleanStop(daemon, scene.pool);
});
