// What happens, seen in the tables where anybody can see it.

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";

export interface CommittedBlock {
  number: number;
  transactions: number;
  logs: number;
  tokenTransfers: number;
  /** In all tables together. */
  rows: number;
  /** Asking the node and checking its answer, in milliseconds. */
  fetchMs: number;
  /** From the transaction's first statement that names the job to its commit, in milliseconds. */
  writeMs: number;
  /** Milliseconds since 1970: since when its job may run, and when it was committed. */
  askedAt: number;
  committedAt: number;
}

export interface FailedAttempt {
  id: number;
  number: number;
  message: string;
}

// completed_at is taken inside the transaction; the commit's own time is PostgreSQL's. A block can
// commit later than one whose completed_at is newer: hence the overlap, and the caller's memory.
const committed = `
  select block_number::int as number,
    (result ->> 'transactions')::int as transactions,
    (result ->> 'logs')::int as logs,
    (result ->> 'token_transfers')::int as "tokenTransfers",
    1 + (result ->> 'transactions')::int + (result ->> 'logs')::int + (result ->> 'withdrawals')::int
      + (result ->> 'token_transfers')::int as rows,
    (result ->> 'fetch_ms')::float8 as "fetchMs",
    extract(epoch from pg_xact_commit_timestamp(xmin) - completed_at)::float8 * 1000 as "writeMs",
    extract(epoch from run_at)::float8 * 1000 as "askedAt",
    extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as "committedAt"
  from processing_jobs
  where completed_at > clock_timestamp() - interval '20 seconds' and status = 'completed'
  order by pg_xact_commit_timestamp(xmin), block_number`;

const failed = `
  select id::int, block_number::int as number, message from processing_failures where id > $1 order by id`;

const pollMs = 40;
/** Longer than the overlap above. */
const forgetAfterMs = 60_000;

/**
 * Tells of every block that is committed, in the order of the commits, and of every attempt that fails,
 * until `signal` aborts.
 */
export async function watchBlocks(
  pool: pg.Pool,
  options: {
    signal: AbortSignal;
    onCommitted(blocks: CommittedBlock[]): void;
    onFailed(attempts: FailedAttempt[]): void;
  },
): Promise<void> {
  const told = new Map<string, number>();
  let lastFailure = 0;
  while (!options.signal.aborted) {
    const { rows } = await pool.query<CommittedBlock>({ name: "committed", text: committed });
    const fresh = rows.filter((block) => !told.has(nameOf(block)));
    for (const block of fresh) told.set(nameOf(block), block.committedAt);
    if (fresh.length > 0) options.onCommitted(fresh);

    const failures = await pool.query<FailedAttempt>({ name: "failed", text: failed, values: [lastFailure] });
    lastFailure = failures.rows.at(-1)?.id ?? lastFailure;
    if (failures.rows.length > 0) options.onFailed(failures.rows);

    for (const [name, at] of told) if (at < Date.now() - forgetAfterMs) told.delete(name);
    await sleep(pollMs, undefined, { signal: options.signal }).catch(() => {});
  }
}

/** A block that is run again is committed again. */
const nameOf = ({ number, committedAt }: CommittedBlock): string => `${number} ${committedAt}`;

/** Resolves when an orchestrator follows the chain's head: from then on a new block is seen at once. */
export async function waitUntilFollowing(pool: pg.Pool, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const { rows } = await pool.query("select from processing_head");
    if (rows.length > 0) return;
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
}

/** How many jobs are still to be done, and how many gave up. */
export async function countJobs(pool: pg.Pool): Promise<{ open: number; completed: number; failed: number }> {
  const { rows } = await pool.query<{ open: number; completed: number; failed: number }>(
    `select count(*) filter (where status in ('pending', 'scheduled', 'processing'))::int as open,
       count(*) filter (where status = 'completed')::int as completed,
       count(*) filter (where status = 'failed')::int as failed
     from processing_jobs`,
  );
  return rows[0] ?? { open: 0, completed: 0, failed: 0 };
}

/** The rows of each table of the chain. */
export async function countRows(pool: pg.Pool): Promise<[table: string, rows: number][]> {
  const tables = ["blocks", "transactions", "logs", "token_transfers", "withdrawals"];
  const parts = tables.map((table) => `select '${table}' as name, count(*)::int as rows from ${table}`);
  const { rows } = await pool.query<{ name: string; rows: number }>(parts.join(" union all "));
  return rows.map((row) => [row.name, row.rows]);
}
