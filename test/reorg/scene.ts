// A daemon that follows a scripted chain, a database that remembers every block that was ever written,
// and the question that every script ends with: do the tables hold the canonical chain?

import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type pg from "pg";
import type { FixtureOptions } from "../../bench/fixture-node/protocol.js";
import type { Hex } from "../../src/block.js";
import { type Daemon, startDaemon } from "../support/daemon.js";
import { createDatabase } from "../support/database.js";
import { type Fixture, startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";
import { describeStuck } from "../support/stuck.js";
import { assertRows, createDigestOf, watchLinks } from "./expected-rows.js";

export interface ReorgRow {
  id: number;
  fork_block: number;
  depth: number;
  old_head: number;
  new_head: number;
  told_by: string;
  confirmed_by: string;
}

export interface Scene {
  databaseUrl: string;
  pool: pg.Pool;
  node: Fixture;
  start(config?: Config): Promise<Daemon>;
  /** Resolves when the tables hold the canonical chain's blocks from `from` to its head, and asserts every row. */
  settled(options?: { from?: number; to?: number }): Promise<void>;
  reorgs(): Promise<ReorgRow[]>;
  /** The hashes of the blocks that were written since the last call, in order; also those that were removed again. */
  written(): Promise<string[]>;
  rows<R extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<R[]>;
}

export type Config = Record<string, Record<string, unknown>>;

/** Sets a scene up. Neighbours in the table are watched until the test ends, and must always link. */
export async function setScene(
  t: TestContext,
  options: { node?: FixtureOptions; partitionBlocks?: number } = {},
): Promise<Scene> {
  const database = await createDatabase(options);
  const { pool, url } = database;
  const daemons: Daemon[] = [];
  const node = await startFixture({ head: 40, transactions: 2, logsPerTransaction: 1, ...options.node });
  await rememberWrites(pool);
  const watch = watchLinks(pool);
  t.after(async () => {
    await Promise.all(daemons.map((daemon) => daemon.destroy()));
    await watch.stop().finally(async () => {
      await node.stop();
      await database.drop();
    });
  });
  const rows = async <R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> =>
    (await pool.query<R>(sql, values)).rows;
  const digestOf = createDigestOf();
  const digests = new Map<string, Hex>();
  let lastWrite = 0;

  return {
    databaseUrl: url,
    pool,
    node,
    rows,
    async start(config = {}) {
      const daemon = await startDaemon({ databaseUrl: url, rpcUrls: node.urls, config: following(config) });
      daemons.push(daemon);
      return daemon;
    },
    async settled({ from = 0, to = Number.MAX_SAFE_INTEGER } = {}) {
      let canonical: { number: number; hash: string }[] = [];
      let why = "";
      const done = async () => {
        canonical = await node.canonical(from, to);
        why = await differenceFrom(pool, canonical);
        return why === "";
      };
      const what = "the canonical chain to be stored";
      await waitFor(done, { what, everyMs: 20 }).catch(async (error) => {
        const stuck = await Promise.all(daemons.map(({ program }) => describeStuck(program, url)));
        throw new Error([`${error.message}: ${why}`, ...stuck].join("\n"));
      });
      const expected = new Map<number, Hex>();
      for (const { number, hash } of canonical) {
        const digest = digests.get(hash) ?? digestOf(await node.expected(number));
        digests.set(hash, digest);
        expected.set(number, digest);
      }
      await assertRows(pool, expected);
    },
    reorgs: () =>
      rows<ReorgRow>(
        `select id::int, fork_block::int, depth, old_head::int, new_head::int, told_by, confirmed_by
         from reorgs order by id`,
      ),
    async written() {
      const writes = await rows<{ id: number; hash: string }>(
        "select id::int, '0x' || encode(hash, 'hex') as hash from block_writes where id > $1 order by id",
        [lastWrite],
      );
      lastWrite = writes.at(-1)?.id ?? lastWrite;
      return writes.map(({ hash }) => hash);
    },
  };
}

/** Follows from block 0 on, and looks at the head ten times a second. */
function following(config: Config): Config {
  return {
    ...config,
    pipeline: { auto_enqueue: true, check_interval: 0.1, ...config.pipeline },
    chain: { start_block: 0, ...config.chain },
    queue: { history_days: 0, ...config.queue },
  };
}

/** What is not as it should be at rest, in words; empty: nothing. */
async function differenceFrom(
  pool: pg.Pool,
  canonical: readonly { number: number; hash: string }[],
): Promise<string> {
  const { rows: stored } = await pool.query<{ number: number; hash: string }>(
    "select number::int, '0x' || encode(hash, 'hex') as hash from blocks order by number",
  );
  const expected = new Map(canonical.map(({ number, hash }) => [number, hash]));
  const wrong = stored.find(({ number, hash }) => expected.get(number) !== hash);
  if (wrong !== undefined) return `block ${wrong.number} is stored as ${wrong.hash}`;
  if (stored.length < canonical.length) return `${stored.length} of ${canonical.length} blocks are stored`;
  const { rows: open } = await pool.query<{ block_number: number; status: string; last_error: string }>(
    `select block_number::int, status, last_error from processing_jobs
     where status <> 'completed' and not (run_at = 'infinity' and block_number > $1) order by block_number`,
    [canonical.at(-1)?.number ?? 0],
  );
  const [first] = open;
  return first === undefined ? "" : `job ${first.block_number} is ${first.status} (${first.last_error})`;
}

async function rememberWrites(pool: pg.Pool): Promise<void> {
  await pool.query(`
    create table block_writes (id int generated always as identity, hash bytea not null, number bigint not null);
    create function remember_write() returns trigger language plpgsql as $$
    begin
      insert into block_writes (hash, number) values (new.hash, new.number);
      return null;
    end $$;
    create trigger remember_write after insert on blocks for each row execute function remember_write()`);
}

/** Resolves when so many reorgs were undone. */
export async function reorgsUndone(scene: Scene, count: number): Promise<ReorgRow[]> {
  const undone = async () => {
    const reorgs = await scene.reorgs();
    return reorgs.length >= count && reorgs;
  };
  return waitFor(undone, { what: `${count} reorgs to be undone`, everyMs: 10 });
}

/** Asserts that no block of the branch above `above` was ever written since the last look. */
export async function assertNeverWritten(scene: Scene, hashes: readonly string[]): Promise<void> {
  const written = await scene.written();
  assert.deepEqual(
    written.filter((hash) => hashes.includes(hash)),
    [],
    "blocks of a dropped branch that were written",
  );
}
