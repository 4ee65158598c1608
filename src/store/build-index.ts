// An index is built while blocks are committed: concurrently, and partition by partition, since PostgreSQL
// builds none concurrently on a partitioned table.
// https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
// https://www.postgresql.org/docs/current/ddl-partitioning.html ("CREATE INDEX ON ONLY")

import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { asDatabaseError } from "../db/database-error.js";
import { BlockmillError, UsageError } from "../errors.js";
import { type IndexState, type Leaf, leafIndexName, readIndexStates } from "./index-states.js";
import type { ReaderIndex } from "./reader-indexes.js";

/** A build that was asked to end. What is finished stays; the same build goes on from there. */
export class InterruptedError extends BlockmillError {
  readonly disposition = "wait";

  constructor() {
    super("interrupted: what is finished stays, and the same command goes on", { interrupted: true });
  }
}

export interface BuildOptions {
  signal: AbortSignal;
  /** Called before a leaf's index is built, and after it, when it is part of the index. */
  onLeaf(leaf: Leaf, event: "begun" | "done"): void;
  /** Called when a lock was not to be had, each time. */
  onWait(): void;
}

/** How long commits may wait behind us for a lock that we wait for. */
const lockTimeoutMs = 300;
/** How long they are left alone then: at least so long, and up to twice. */
const lockPauseMs = 500;

/**
 * Builds what is missing of an index, and returns its state then. Commits go on meanwhile: they wait
 * for a third of a second at most, now and then. What an earlier build left unfinished is built again.
 * `session` is a connection of its own, outside of a transaction and without a statement_timeout. Only
 * one may build in a schema at a time. Throws a UsageError where something else has the index's name, an
 * InterruptedError when `signal` aborts between two steps.
 */
export async function buildIndex(
  session: pg.ClientBase,
  index: ReaderIndex,
  options: BuildOptions,
): Promise<IndexState> {
  for (;;) {
    const state = await readState(session, index);
    if (state.taken !== null) throw new UsageError(`${state.taken} is there already, and is another index`);
    if (state.state === "built") return state;
    if (state.partitions === null) await buildLeaf(session, state, options);
    else await buildPartitioned(session, state, options);
  }
}

async function buildPartitioned(
  session: pg.ClientBase,
  state: IndexState,
  options: BuildOptions,
): Promise<void> {
  const { index } = state;
  if (!(await isThere(session, index))) {
    // From here on partitions that are made get their part of it by themselves, while they are empty.
    await runShortly(
      session,
      createStatement(index, { name: index.name, table: `only ${quote(index.table)}` }),
      options,
    );
    return;
  }
  const [next] = state.open;
  if (next === undefined) {
    throw new UsageError(
      `${index.name} has a part that is not valid: remove it by \`blockmill index --drop ${index.name}\`, then build it again`,
    );
  }
  const { leaf } = next;
  const part = next.ready?.sql ?? (await buildLeaf(session, { ...state, open: [next] }, options));
  await runShortly(session, `alter index ${quote(index.name)} attach partition ${part}`, options);
  options.onLeaf(leaf, "done");
}

/** Builds the index of the first open leaf. Returns how a statement names it. */
async function buildLeaf(
  session: pg.ClientBase,
  { index, open }: IndexState,
  options: BuildOptions,
): Promise<string> {
  const [next] = open;
  if (next === undefined) throw new Error(`${index.name} has nothing left to build`);
  const { leaf, leftover } = next;
  options.onLeaf(leaf, "begun");
  // A concurrent build that was cut off leaves an index that is written to, and never read.
  if (leftover !== null) await run(session, `drop index concurrently if exists ${leftover.sql}`, options);
  const name = leafIndexName(index, leaf);
  await run(session, createStatement(index, { name, table: leaf.sql, concurrently: true }), options);
  if (leaf.name === index.table) options.onLeaf(leaf, "done");
  const state = await readState(session, index);
  return state.open.find((each) => each.leaf.name === leaf.name)?.ready?.sql ?? quote(name);
}

/**
 * Removes an index, and what an unfinished build left of it. Returns whether there was any. One of another
 * name that finds the same is not touched.
 */
export async function dropIndex(
  session: pg.ClientBase,
  index: ReaderIndex,
  options: Omit<BuildOptions, "onLeaf">,
): Promise<boolean> {
  const state = await readState(session, index);
  if (state.taken !== null)
    throw new UsageError(`${state.taken} is another index: it is not blockmill's to drop`);
  const there = await isThere(session, index);
  if (there && state.partitions !== null) {
    // A partitioned index cannot be dropped concurrently.
    await runShortly(session, `drop index if exists ${quote(index.name)}`, options);
  } else if (there) {
    await run(session, `drop index concurrently if exists ${quote(index.name)}`, options);
  }
  const left =
    state.partitions === null ? [] : state.open.flatMap(({ ready, leftover }) => ready ?? leftover ?? []);
  for (const { sql } of left) await run(session, `drop index concurrently if exists ${sql}`, options);
  return there || left.length > 0;
}

async function readState(session: pg.ClientBase, index: ReaderIndex): Promise<IndexState> {
  const [state] = await readIndexStates(session, [index]);
  if (state === undefined) throw new Error("one index was asked for, and none was told of");
  return state;
}

async function isThere(session: pg.ClientBase, { name }: ReaderIndex): Promise<boolean> {
  const { rows } = await session.query<{ there: boolean }>("select to_regclass($1) is not null as there", [
    quote(name),
  ]);
  return rows[0]?.there ?? false;
}

interface Place {
  name: string;
  table: string;
  concurrently?: boolean;
}

function createStatement(
  { columns, where }: ReaderIndex,
  { name, table, concurrently = false }: Place,
): string {
  const condition = where === undefined ? "" : ` where ${where}`;
  return `create index ${concurrently ? "concurrently " : ""}${quote(name)} on ${table} (${columns.map(quote).join(", ")})${condition}`;
}

/** Runs a statement that locks commits out for a moment: it gives up soon while it waits, and tries again. */
async function runShortly(
  session: pg.ClientBase,
  statement: string,
  { signal, onWait }: Pick<BuildOptions, "signal" | "onWait">,
): Promise<void> {
  for (;;) {
    throwIfAborted(signal);
    try {
      await session.query(`begin; set local lock_timeout = ${lockTimeoutMs}; ${statement}; commit`);
      return;
    } catch (thrown) {
      await session.query("rollback").catch(() => {});
      const error = asDatabaseError(thrown);
      if (!(error instanceof BlockmillError) || error.facts.sqlstate !== "55P03") throw error;
      onWait();
      await sleep(lockPauseMs * (1 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }
}

/** Runs a statement that waits for others, and that nobody waits for. */
async function run(
  session: pg.ClientBase,
  statement: string,
  { signal }: { signal: AbortSignal },
): Promise<void> {
  throwIfAborted(signal);
  try {
    await session.query(statement);
  } catch (thrown) {
    throwIfAborted(signal);
    throw asDatabaseError(thrown);
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new InterruptedError();
}

const quote = (name: string): string => pg.escapeIdentifier(name);
