// Everything that follows, claims and commits, in this process: a real database, a scripted chain, the
// follower and workers whose steps the test takes one by one.

import { after, before, beforeEach } from "node:test";
import type pg from "pg";
import { createProve } from "../../src/chain/prove-block.js";
import { computeUnmarked } from "../../src/child/compute-mark.js";
import { loadConfig } from "../../src/config/load.js";
import type { Config } from "../../src/config/schema.js";
import { createPool } from "../../src/db/pool.js";
import { createDirectWay } from "../../src/direct/direct-way.js";
import { createLogger, type Logger } from "../../src/logger.js";
import { createFollower, type Follower, type HeadOutcome } from "../../src/orchestrator/follow-head.js";
import { type Dependents, dependents } from "../../src/pipeline/dependents.js";
import { createEdgeGuard } from "../../src/pipeline/edge-guard.js";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import {
  claimBatch,
  commitBatch,
  type Pipeline,
  type PreparedBatch,
  prepareBatch,
} from "../../src/pipeline/pipeline.js";
import type { BatchOutcome } from "../../src/pipeline/settle-failure.js";
import { archiveJobs } from "../../src/queue/archive.js";
import { promoteDue } from "../../src/queue/promote.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { createPartitions } from "../../src/store/partitions.js";
import { assertRows, createDigestOf } from "../reorg/expected-rows.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { type ScriptedChain, scriptChain } from "./scripted-chain.js";

export interface World {
  readonly pool: pg.Pool;
  readonly url: string;
  /** What is made of stored rows, by whoever is made of this world. */
  readonly dependents: Dependents;
  rows<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
  /** The status of each block's job, with the number of its wanted block's branch unknown. */
  statuses(): Promise<Record<number, string>>;
}

/** A database for the tests of one file, empty at the start of each. Call once at the top of the file. */
export function useWorld(): World {
  let database: TestDatabase;
  let pool: pg.Pool;
  before(async () => {
    database = await createDatabase();
    pool = createPool({
      url: database.url,
      schema: "public",
      applicationName: "blockmill-test world",
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 30_000,
      min: 0,
      max: 10,
    });
  });
  beforeEach(() => emptyTables(pool));
  after(async () => {
    await pool.end();
    await database.drop();
  });
  const rows = async <R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> =>
    (await pool.query<R>(sql, values)).rows;
  return {
    get pool() {
      return pool;
    },
    get url() {
      return database.url;
    },
    dependents,
    rows,
    async statuses() {
      const jobs = await rows<{ block_number: number; status: string }>(
        "select block_number, status from processing_jobs order by block_number",
      );
      return Object.fromEntries(jobs.map(({ block_number, status }) => [block_number, status]));
    },
  };
}

export async function emptyTables(pool: pg.Pool): Promise<void> {
  await pool.query(`
    truncate processing_jobs, processing_failures, processing_ranges, processing_head, processing_history,
      reorgs, alerts, blocks, transactions, logs, withdrawals, token_transfers;
    update processing_coverage set blocks = '{}'`);
}

export const silent: Logger = createLogger({
  component: "test",
  level: "fatal",
  redact: (text) => text,
  output: { write: () => {} },
});

/** The defaults, with what the test wants otherwise, by dotted path. */
export function configOf(wanted: Record<string, unknown> = {}): Config {
  const flags = Object.entries(wanted).map(([path, value]) => ({ path, value, flag: path }));
  return loadConfig({ env: {}, flags }).config;
}

export interface FollowerScene {
  follower: Follower;
  /** Looks at an endpoint's head and accepts it. */
  follow(endpoint?: number): Promise<HeadOutcome>;
}

export function followerOf(
  world: World,
  chain: ScriptedChain,
  wanted: Record<string, unknown> = {},
  signal?: AbortSignal,
): FollowerScene {
  const follower = createFollower({
    pool: world.pool,
    dependents: world.dependents,
    endpoints: chain.endpoints,
    config: configOf({ "chain.start_block": 0, ...wanted }),
    chainId: 1,
    log: silent,
    confirm: { secondThoughtMs: 0, stalledAfterMs: 30_000 },
    ...(signal === undefined ? {} : { signal }),
  });
  return {
    follower,
    follow: async (endpoint = 0) =>
      follower.accept(await chain.headOf(endpoint), `node-${endpoint}`, { safe: null, finalized: null }),
  };
}

export interface Worker {
  readonly pipeline: Pipeline;
  /** Claims and prepares a batch, which waits to be committed. */
  prepare(limit?: number): Promise<PreparedBatch>;
  commit(batch: PreparedBatch): Promise<BatchOutcome>;
  /** Works until nothing is pending or due; returns how many blocks it completed. */
  finish(): Promise<number>;
}

const finishWithinMs = 60_000;

export function workerOf(world: World, chain: ScriptedChain, workerId = "a/w1"): Worker {
  const proving = { level: "roots", recoverSenders: false, onRules: () => {} } as const;
  const encoder = createEncoder();
  const pipeline: Pipeline = {
    pool: world.pool,
    dependents: world.dependents,
    endpoints: chain.endpoints,
    takeDirectly: createDirectWay({ ...proving, encoder }),
    prove: createProve(proving),
    encoder,
    partitions: createPartitions(world.pool),
    edges: createEdgeGuard({ pool: world.pool, log: silent }),
    workerId,
    maxAttempts: 1_000,
    finalityDepth: 64,
    jobTimeoutMs: 60_000,
    compute: computeUnmarked,
    slots: new FetchSlots(4),
    backoff: { baseMs: 0, maxMs: 0 },
    log: silent,
    redact: (text) => text,
  };
  const { signal } = new AbortController();
  const worker: Worker = {
    pipeline,
    async prepare(limit = 100) {
      const jobs = await claimBatch(pipeline, { limit, after: undefined });
      return prepareBatch(pipeline, jobs, signal);
    },
    commit: (batch) => commitBatch(pipeline, batch),
    async finish() {
      let completed = 0;
      const deadline = performance.now() + finishWithinMs;
      for (;;) {
        if (performance.now() > deadline) throw new Error("the jobs do not come to an end");
        await promoteDue(world.pool, 1_000);
        const batch = await worker.prepare();
        if (batch.prepared.length + batch.failed.length + batch.unharmed.length === 0) return completed;
        completed += (await worker.commit(batch)).completed;
      }
    },
  };
  return worker;
}

const digestOf = createDigestOf();

/** Asserts that the tables hold the chain's canonical blocks from one to another, and nothing else. */
export async function assertCanonical(
  world: World,
  chain: ScriptedChain,
  blocks: Iterable<number>,
): Promise<void> {
  const expected = new Map([...blocks].map((number) => [number, digestOf(chain.raw(number))] as const));
  await assertRows(world.pool, expected);
}

/** The whole numbers from `from` to `to`, inclusive. */
export function numbers(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
}

export interface ReorgRow {
  fork_block: number;
  depth: number;
  old_head: number;
  new_head: number;
  told_by: string;
  confirmed_by: string;
}

/** The reorgs that were undone, in their order. */
export function reorgsOf(world: World): Promise<ReorgRow[]> {
  return world.rows<ReorgRow>(
    "select fork_block, depth, old_head, new_head, told_by, confirmed_by from reorgs order by id",
  );
}

/** A chain whose blocks 0 to 40 are followed and stored. */
export async function storedScene(
  world: World,
  options: { endpoints?: number; wanted?: Record<string, unknown> } = {},
) {
  const chain = scriptChain({ head: 40, endpoints: options.endpoints ?? 1 });
  const { follow } = followerOf(world, chain, options.wanted);
  const worker = workerOf(world, chain);
  await follow();
  await worker.finish();
  await assertCanonical(world, chain, numbers(0, 40));
  return { chain, follow, worker };
}

/** Takes a block and its job away, as a person might. */
export async function forgetBlock(world: World, number: number): Promise<void> {
  await world.pool.query("delete from processing_jobs where block_number = $1", [number]);
  await forgetRows(world, number);
}

export async function forgetRows(world: World, number: number): Promise<void> {
  await world.pool.query(`
    delete from blocks where number = ${number};
    delete from transactions where block_number = ${number};
    delete from logs where block_number = ${number};
    delete from withdrawals where block_number = ${number};
    delete from token_transfers where block_number = ${number}`);
}

/** Archives every job that is done. */
export function archiveAll(world: World): Promise<number> {
  return archiveJobs(world.pool, { olderThanMs: -1, kept: 0, keepHistory: false, limit: 10_000 });
}
