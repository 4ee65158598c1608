// Jobs that do nothing, a second: what the queue alone costs. blockmill keeps each job's history, fences
// each completion by its claim's token, and archives beside; graphile-worker deletes what is done and
// fences nothing; pg-boss keeps what is done.
//
// queue-drain-held is the same while a transaction stays open somewhere, which keeps vacuum from
// removing anything: each queue against itself without.

import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { enqueueSeries } from "../../src/queue/enqueue.js";
import { type BenchProgram, forkProgram, monotonicMs, programFile } from "../harness/program.js";
import type { BenchDatabase, DatabaseTemplate } from "../harness/server.js";
import { type Bench, type Cases, type Figure, figures, interleave, type Suite } from "../harness/suite.js";

const names = ["queue-drain-1", "queue-drain-4", "queue-drain-held"] as const;

/** What a drain's process gives when it ends. */
interface Drained {
  done: number;
}

/** A queue that can be filled, drained, and asked how much it did. */
interface Queue {
  fill(database: BenchDatabase, jobs: number): Promise<void>;
  /** A process that drains it. */
  drainer(database: BenchDatabase, index: number): BenchProgram<Drained>;
  /** What runs beside, for the whole queue. */
  beside?(database: BenchDatabase): BenchProgram<void>;
  /** How many jobs a process may have handled and not settled when it is stopped before the end. */
  mayLeave: number;
  /** Jobs that are done, as the tables say. */
  countDone(database: BenchDatabase, jobs: number): Promise<number>;
}

export const queueDrain: Suite = {
  names,
  async run(bench, wanted) {
    return [
      ...(wanted.has("queue-drain-1") ? await drain(bench, 1) : []),
      ...(wanted.has("queue-drain-4") ? await drain(bench, 4) : []),
      ...(wanted.has("queue-drain-held") ? await drainHeld(bench) : []),
    ];
  },
};

async function drain(bench: Bench, processes: number): Promise<Figure[]> {
  const jobs = bench.quick ? 20_000 : 200_000;
  const queues = queuesOf(bench);
  const maxSeconds = bench.quick ? 5 : 20;
  const measured = await withTemplates(bench, { queues, jobs }, (templates) =>
    interleave(
      bench,
      casesOf(queues, (name, queue) => async () => {
        const database = await templates[name].copy();
        try {
          return await drainOnce(queue, database, { jobs, processes, maxSeconds });
        } finally {
          await database.drop();
        }
      }),
    ),
  );
  const note =
    "pg-boss by default fetches one job every 2 seconds; it was drained for a bounded time, not to the end";
  return figures(measured, {
    benchmark: `queue-drain-${processes}`,
    of: "blockmill",
    unit: "jobs/s",
    note,
    against: [
      { name: "graphile-worker, tuned", target: { atLeast: processes === 1 ? 1.4 : 1.8 } },
      { name: "graphile-worker" },
      { name: "pg-boss, tuned", target: { atLeast: 2 } },
      { name: "pg-boss" },
    ],
  });
}

async function drainHeld(bench: Bench): Promise<Figure[]> {
  const jobs = bench.quick ? 300_000 : 2_500_000;
  const maxSeconds = bench.quick ? 8 : 60;
  const { blockmill, "graphile-worker, tuned": graphile, "pg-boss, tuned": boss } = queuesOf(bench);
  const queues = { blockmill, "graphile-worker, tuned": graphile, "pg-boss, tuned": boss };
  type Case = keyof typeof queues | `${keyof typeof queues}, held`;
  const measured = await withTemplates(bench, { queues, jobs }, (templates) => {
    const cases: Cases<Case> = {};
    for (const [name, queue] of Object.entries(queues) as [keyof typeof queues, Queue][]) {
      for (const held of [false, true]) {
        cases[held ? (`${name}, held` as const) : name] = async () => {
          const database = await templates[name].copy();
          const holder = held ? await holdSnapshot(database) : undefined;
          try {
            return await drainOnce(queue, database, { jobs, processes: 1, maxSeconds });
          } finally {
            await holder?.end();
            await database.drop();
          }
        };
      }
    }
    return interleave<Case>(bench, cases);
  });
  const seconds = `a transaction stays open for ${maxSeconds} s`;
  return (Object.keys(queues) as (keyof typeof queues)[]).flatMap((name) =>
    figures<Case>(measured, {
      benchmark: "queue-drain-held",
      of: `${name}, held`,
      unit: "jobs/s",
      note: seconds,
      against: [name === "blockmill" ? { name, target: { atLeast: 0.8 } } : { name }],
    }),
  );
}

/** A session that took a snapshot and then does nothing. */
async function holdSnapshot({ url }: BenchDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "bench holder" });
  client.on("error", () => {});
  await client.connect();
  await client.query("begin isolation level repeatable read");
  // With an id of its own it holds vacuum back whatever the isolation level.
  await client.query("select pg_current_xact_id(), count(*) from pg_class");
  return client;
}

/** Jobs a second, from the word to begin until the last is done, or until the time is up; counted in the tables. */
async function drainOnce(
  queue: Queue,
  database: BenchDatabase,
  { jobs, processes, maxSeconds }: { jobs: number; processes: number; maxSeconds: number },
): Promise<number> {
  const drainers = Array.from({ length: processes }, (_, i) => queue.drainer(database, i));
  const beside = queue.beside?.(database);
  const all = [...drainers, ...(beside === undefined ? [] : [beside])];
  try {
    await Promise.all(all.map(({ ready }) => ready));
    beside?.go();
    const started = monotonicMs();
    for (const drainer of drainers) drainer.go();
    const over = new AbortController();
    void Promise.all(drainers.map(({ result }) => result)).then(
      () => over.abort(),
      () => over.abort(),
    );
    const doneSoFar = (): number => drainers.reduce((sum, drainer) => sum + drainer.done(), 0);
    while (doneSoFar() < jobs && monotonicMs() - started < maxSeconds * 1_000 && !over.signal.aborted) {
      await sleep(10, undefined, { signal: over.signal }).catch(() => {});
    }
    // What was told last is the end: to stop in order takes some of them seconds.
    const told = drainers.flatMap(({ progress }) => progress.at(-1) ?? []);
    const done = told.reduce((sum, each) => sum + each.done, 0);
    const seconds = (Math.max(...told.map(({ at }) => at)) - started) / 1_000;
    const results = await Promise.all(drainers.map((drainer) => drainer.finish()));
    const inAll = results.reduce((sum, result) => sum + result.done, 0);
    const counted = await queue.countDone(database, jobs);
    // One that is stopped may leave a batch that its handlers have seen and its tables have not.
    if (counted > inAll || counted < inAll - processes * queue.mayLeave)
      throw new Error(`the tables say that ${counted} jobs are done, the processes ${inAll}`);
    return (done - (inAll - counted)) / seconds;
  } finally {
    await Promise.all(all.map((each) => each.kill()));
  }
}

function queuesOf(bench: Bench) {
  const graphile = (tuned: boolean): Queue => ({
    async fill(database, jobs) {
      await runPeer(bench, database, { file: "graphile-worker.mjs", settings: { mode: "migrate" } });
      for (let from = 0; from < jobs; from += 10_000) {
        await database.pool.query(
          `select count(*) from graphile_worker.add_jobs(array(
             select row('noop', json_build_object('block', n), null, now(), null, null, null, null)::graphile_worker.job_spec
             from generate_series($1::int, $2::int) as n))`,
          [from, Math.min(from + 10_000, jobs) - 1],
        );
      }
    },
    drainer: ({ url }) =>
      bench.peers.fork("graphile-worker.mjs", { settings: { databaseUrl: url, mode: "drain", tuned } }),
    mayLeave: tuned ? 500 : 10,
    countDone: async (database, jobs) =>
      jobs - (await count(database, "select count(*) from graphile_worker._private_jobs")),
  });
  const boss = (tuned: boolean): Queue => ({
    fill: (database, jobs) =>
      runPeer(bench, database, { file: "pg-boss.mjs", settings: { mode: "migrate", jobs } }),
    drainer: ({ url }) =>
      bench.peers.fork("pg-boss.mjs", { settings: { databaseUrl: url, mode: "drain", tuned } }),
    mayLeave: tuned ? 1_000 : 10,
    countDone: (database) => count(database, "select count(*) from pgboss.job where state = 'completed'"),
  });
  return {
    blockmill: blockmillQueue,
    "graphile-worker, tuned": graphile(true),
    "graphile-worker": graphile(false),
    "pg-boss, tuned": boss(true),
    "pg-boss": boss(false),
  };
}

const blockmillQueue: Queue = {
  async fill({ pool }, jobs) {
    await enqueueSeries(pool, { from: 1, to: jobs });
  },
  drainer: ({ url }, index) =>
    forkProgram({
      file: programFile("drain"),
      settings: { databaseUrl: url, workerId: `bench/w${index}`, batchSize: 1_000, stay: false },
    }),
  beside: ({ url }) => forkProgram({ file: programFile("duties"), settings: { databaseUrl: url } }),
  mayLeave: 0,
  countDone: (database) =>
    count(
      database,
      `select (select count(*) from processing_jobs where status = 'completed')
         + (select coalesce(sum(upper(part) - lower(part)), 0) from processing_coverage, unnest(blocks) as part) as count`,
    ),
};

async function runPeer(
  bench: Bench,
  database: BenchDatabase,
  { file, settings }: { file: string; settings: Record<string, unknown> },
): Promise<void> {
  const peer = bench.peers.fork<void>(file, { settings: { ...settings, databaseUrl: database.url } });
  await peer.result;
  await peer.kill();
}

async function count({ pool }: BenchDatabase, statement: string): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(statement);
  return Number(rows[0]?.count);
}

/** A filled database of each queue, while `use` runs. Those of one queue that differ in tuning are filled alike. */
async function withTemplates<Name extends string, T>(
  bench: Bench,
  { queues, jobs }: { queues: Record<Name, Queue>; jobs: number },
  use: (templates: Record<Name, DatabaseTemplate>) => Promise<T>,
): Promise<T> {
  const byProduct = new Map<string, DatabaseTemplate>();
  const templates = {} as Record<Name, DatabaseTemplate>;
  try {
    for (const [name, queue] of Object.entries(queues) as [Name, Queue][]) {
      const product = name.replace(/,.*/, "");
      let template = byProduct.get(product);
      if (template === undefined) {
        bench.say(`filling ${product} with ${jobs} jobs`);
        template = await bench.server.template({ empty: product !== "blockmill" }, (database) =>
          queue.fill(database, jobs),
        );
        byProduct.set(product, template);
      }
      templates[name] = template;
    }
    return await use(templates);
  } finally {
    for (const template of byProduct.values()) await template.drop();
  }
}

function casesOf<Name extends string>(
  queues: Record<Name, Queue>,
  measure: (name: Name, queue: Queue) => () => Promise<number>,
): Cases<Name> {
  const entries = Object.entries(queues) as [Name, Queue][];
  return Object.fromEntries(entries.map(([name, queue]) => [name, measure(name, queue)])) as Cases<Name>;
}
