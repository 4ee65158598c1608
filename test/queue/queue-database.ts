// A database for the tests of one file, its queue empty at the start of each test, and its rows as the
// tests want to read them.

import { after, before, beforeEach } from "node:test";
import type pg from "pg";
import { createPool } from "../../src/db/pool.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

export interface JobRow {
  id: number;
  block_number: number;
  status: string;
  priority: number;
  run_at: Date;
  started_at: Date | null;
  completed_at: Date | null;
  worker_id: string | null;
  attempts: number;
  deaths: number;
  last_error: string | null;
  result: unknown;
  /** Milliseconds until run_at, by the database's clock; Infinity where it is infinite: older servers subtract nothing from that. */
  due_in_ms: number;
}

export interface Queue {
  readonly url: string;
  /** Blockmill's own kind of pool, of at most 20 connections. */
  readonly pool: pg.Pool;
  insert(blocks: number[], status?: string): Promise<void>;
  /** The job of a block; fails when there is none. */
  job(block: number): Promise<JobRow>;
  /** All jobs in the order of their blocks. */
  jobs(): Promise<JobRow[]>;
  /** The status of each block. */
  statuses(): Promise<Record<number, string>>;
  /** Runs a statement and returns its rows. */
  rows<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
}

/** Call once at the top of a test file. */
export function useQueue(): Queue {
  let database: TestDatabase;
  let pool: pg.Pool;

  before(async () => {
    database = await createDatabase();
    pool = createPool({
      url: database.url,
      schema: "public",
      applicationName: "blockmill-test queue",
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 30_000,
      min: 0,
      max: 20,
    });
  });

  beforeEach(async () => {
    await pool.query(
      `truncate processing_jobs, processing_failures, processing_ranges, processing_workers, processing_head, withdrawals;
       update processing_coverage set blocks = '{}'`,
    );
  });

  after(async () => {
    await pool.end();
    await database.drop();
  });

  const rows = async <R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> =>
    (await pool.query<R>(sql, values)).rows;
  const jobs = () =>
    rows<JobRow>(
      `select *, (case when isfinite(run_at) then extract(epoch from run_at - clock_timestamp()) * 1000 else 'infinity' end)::float8 as due_in_ms
       from processing_jobs order by block_number`,
    );

  return {
    get url() {
      return database.url;
    },
    get pool() {
      return pool;
    },
    async insert(blocks, status = "pending") {
      await pool.query(
        `insert into processing_jobs (block_number, status, completed_at, worker_id, started_at)
         select n, $2, case $2 when 'completed' then now() end, case $2 when 'processing' then 'somebody/w1' end,
                case $2 when 'processing' then now() end
         from unnest($1::bigint[]) as n`,
        [blocks, status],
      );
    },
    async job(block) {
      const found = (await jobs()).find(({ block_number }) => block_number === block);
      if (found === undefined) throw new Error(`block ${block} has no job`);
      return found;
    },
    jobs,
    async statuses() {
      return Object.fromEntries((await jobs()).map(({ block_number, status }) => [block_number, status]));
    },
    rows,
  };
}

/** The whole numbers from `from` to `to`, inclusive. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
