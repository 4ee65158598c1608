// A database, a scripted node and daemons for one test, gone when it ends; and what the tests ask of
// them again and again.

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type pg from "pg";
import type { FixtureOptions } from "../../bench/fixture-node/protocol.js";
import { assertCleanStop, type Daemon, type DaemonOptions, startDaemon } from "../support/daemon.js";
import { createDatabase } from "../support/database.js";
import { type Fixture, startFixture } from "../support/fixture.js";
import { type LinePattern, waitFor } from "../support/process.js";

export interface JobRow {
  id: number;
  block_number: number;
  status: string;
  worker_id: string | null;
  attempts: number;
  deaths: number;
  last_error: string | null;
}

export interface Scene {
  databaseUrl: string;
  pool: pg.Pool;
  node: Fixture;
  start(config?: DaemonOptions["config"], env?: DaemonOptions["env"]): Promise<Daemon>;
  insert(from: number, to?: number): Promise<void>;
  jobs(): Promise<JobRow[]>;
  /** Resolves with the jobs when all are in one of these statuses. */
  settled(options?: { statuses?: string[] }): Promise<JobRow[]>;
  /** Resolves with the jobs that are being processed, as soon as there are so many. */
  claimed(atLeast?: number): Promise<JobRow[]>;
  /** Asserts that each of these blocks was written, and exactly once. */
  assertWrittenOnce(blocks: number[]): Promise<void>;
  /** What processing_workers says of a process. */
  states(): Promise<Record<string, string>>;
}

/** Another place for the database than the suite's server. */
export interface SceneOptions {
  node?: FixtureOptions;
  database?: { url: string; pool: pg.Pool };
  /** Of a database of its own: blocks in one partition; 0: none. */
  partitionBlocks?: number;
}

/** Sets a scene up. When the test ends, daemons that still run must stop in order, unless it failed already. */
export async function setScene(t: TestContext, options: SceneOptions = {}): Promise<Scene> {
  const own = options.database === undefined ? await createDatabase(options) : undefined;
  const { url, pool } = options.database ?? own ?? assert.fail();
  const daemons: Daemon[] = [];
  const node = await startFixture({ head: 400, transactions: 2, logsPerTransaction: 1, ...options.node });
  t.after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.destroy()));
    await node.stop();
    await own?.drop();
  });
  await countWrites(pool);

  const jobs = async () =>
    (
      await pool.query<JobRow>(
        `select id::int, block_number::int, status, worker_id, attempts, deaths, last_error
         from processing_jobs order by block_number`,
      )
    ).rows;

  const states = async () => {
    const { rows } = await pool.query<{ worker_id: string; state: string }>(
      "select worker_id, state from processing_workers",
    );
    return Object.fromEntries(rows.map(({ worker_id, state }) => [worker_id, state]));
  };

  return {
    databaseUrl: url,
    pool,
    node,
    async start(config = {}, env = {}) {
      const daemon = await startDaemon({ databaseUrl: url, rpcUrls: node.urls, config, env });
      daemons.push(daemon);
      const ids = daemon.children().map(({ workerId }) => workerId);
      const ready = async () => {
        const said = await states();
        return ids.every((id) => (said[id] ?? "starting") !== "starting");
      };
      await until(ready, "the daemon's processes to be ready");
      return daemon;
    },
    async insert(from, to = from) {
      await pool.query(
        "insert into processing_jobs (block_number) select generate_series($1::bigint, $2::bigint)",
        [from, to],
      );
    },
    jobs,
    async settled({ statuses = ["completed"] } = {}) {
      const open = async () =>
        (await jobs())
          .filter(({ status }) => !statuses.includes(status))
          .map(describe)
          .slice(0, 10);
      let left: string[] = [];
      const done = async () => {
        left = await open();
        // Before the first job was inserted nothing is settled: the head that it will be taken from may still move.
        return left.length === 0 && (await jobs()).length > 0;
      };
      await waitFor(done, { what: `all jobs to be ${statuses}`, everyMs: 20 }).catch((error) => {
        throw new Error(`${error.message}; open are ${left.join(", ")}`);
      });
      return jobs();
    },
    claimed: (atLeast = 1) =>
      until(async () => {
        const held = (await jobs()).filter(({ status }) => status === "processing");
        return held.length >= atLeast && held;
      }, `${atLeast} claims`),
    async assertWrittenOnce(blocks) {
      const { rows } = await pool.query<{ number: number; writes: number }>(
        "select number::int, writes from block_writes order by number",
      );
      assert.deepEqual(
        rows,
        blocks.map((number) => ({ number, writes: 1 })),
      );
      const stored = await pool.query<{ number: number }>("select number::int from blocks order by number");
      assert.deepEqual(
        stored.rows.map(({ number }) => number),
        blocks,
      );
    },
    states,
  };
}

function describe({ block_number, status, attempts, worker_id, last_error }: JobRow): string {
  return `${block_number} ${status} (attempt ${attempts}, ${worker_id}, ${last_error})`;
}

/** Counts how often each block is written, whatever becomes of the row. */
async function countWrites(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table block_writes (number bigint primary key, writes int not null);
    create function count_block_write() returns trigger language plpgsql as $$
    begin
      insert into block_writes values (new.number, 1)
      on conflict (number) do update set writes = block_writes.writes + 1;
      return null;
    end $$;
    create trigger count_block_write after insert on blocks for each row execute function count_block_write()`);
}

export { assertCleanStop };

/** Waits for a condition. */
export function until<T>(check: () => T | Promise<T>, what: string) {
  return waitFor(check, { what, everyMs: 10 });
}

/** Waits for the next line of a daemon's output that matches, from what it said so far on unless `from` is stated. */
export function said(daemon: Daemon, pattern: LinePattern, from = 0): Promise<string> {
  return daemon.program.line(pattern, { from });
}

/** The whole numbers from `from` to `to`, inclusive. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
