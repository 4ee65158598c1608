import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import type pg from "pg";
import { tryLock } from "../db/advisory-locks.js";
import { asDatabaseError } from "../db/database-error.js";
import { ConfigError, UsageError } from "../errors.js";
import { buildIndex, dropIndex, InterruptedError } from "../store/build-index.js";
import { type IndexState, readIndexStates } from "../store/index-states.js";
import { type ReaderIndex, readerIndexes } from "../store/reader-indexes.js";
import { plural, span } from "../wording.js";
import { abortOnSignals } from "./abort-on-signals.js";
import { exitCodes } from "./exit-codes.js";
import { showIndexProgress } from "./index-progress.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";
import { createPaint, formatTable } from "./terminal.js";
import { type Account, createAccount, watchBuild } from "./watch-build.js";

export function addIndex(program: Command): void {
  program
    .command("index")
    .description("build indexes for readers on the chain's tables, while daemons go on")
    .argument("[names...]", "which (default: those that --list calls usual)")
    .option("-l, --list", "show every index, what it finds, and whether it is there")
    .option("-a, --all", "every index that --list shows")
    .option("-d, --drop", "remove them instead")
    .option("--json", "print JSON, an object a line for each index")
    .addHelpText(
      "after",
      `
The tables have their primary keys and little else, so that a backfill writes no more than it must. Run
this once it is through: building an index afterwards takes a fraction of what keeping it up to date would
have taken. Indexes are built concurrently, one after the other; on partitioned tables partition by
partition, and partitions that are made later have them from the start. Commits wait for a third of a
second at most, now and then. Only the owner of the tables can do it.

It waits for transactions that began earlier, such as a backup's. Run twice, it builds what is missing;
two at once: one waits. Ctrl-C, or a server that goes down: the same command goes on.
A larger maintenance_work_mem helps: ALTER ROLE ... SET maintenance_work_mem = '1GB'.

Examples:
  blockmill index -c mainnet.json
  blockmill index --list
  blockmill index transactions_hash logs_topic1
  blockmill index --drop logs_topic1`,
    )
    .action(run(index));
}

interface IndexOptions {
  list?: boolean;
  all?: boolean;
  drop?: boolean;
  json?: boolean;
}

async function index(session: Session, options: IndexOptions, names: string[]): Promise<number> {
  const { list = false, drop = false, json = false } = options;
  if (list && drop) throw new UsageError("--list: expected no --drop beside it");
  if (drop && names.length === 0 && !options.all) throw new UsageError("--drop: expected names, or --all");
  const wanted = choose(names, { all: options.all ?? list });
  if (list) {
    const states = await withDatabase(session, (pool) => readIndexStates(pool, wanted));
    process.stdout.write(json ? states.map((state) => jsonOf(state)).join("") : tableOf(states));
    return exitCodes.done;
  }
  await withDatabase(session, (pool) => change(session, pool, { wanted, drop, json }), { connections: 2 });
  return exitCodes.done;
}

function choose(names: readonly string[], { all }: { all: boolean }): readonly ReaderIndex[] {
  if (names.length > 0 && all) throw new UsageError("--all, --list: expected no names beside it");
  const unknown = names.find((name) => !readerIndexes.some((each) => each.name === name));
  if (unknown !== undefined)
    throw new UsageError(`${unknown}: there is no such index; --list shows them all`);
  if (names.length > 0) return readerIndexes.filter(({ name }) => names.includes(name));
  return readerIndexes.filter(({ usual }) => all || usual);
}

interface Change {
  wanted: readonly ReaderIndex[];
  drop: boolean;
  json: boolean;
}

/** How often it looks whether it is its turn. */
const lookMs = 200;

async function change({ config }: Session, pool: pg.Pool, { wanted, drop, json }: Change): Promise<void> {
  await checkOwner(pool, wanted);
  const { signal, forgetSignals } = abortOnSignals();
  const session = await pool.connect();
  const { rows } = await session.query<{ pid: number }>("select pg_backend_pid() as pid");
  const pid = rows[0]?.pid ?? 0;
  const display = showIndexProgress(process.stderr);
  const over = new AbortController();
  try {
    // An index of a large table takes hours, and its waiting for old transactions is no fault.
    await session.query("set statement_timeout = 0; set lock_timeout = 0");
    await takeTurn(session, { schema: config.database.schema, signal });
    const account = createAccount(await readIndexStates(session, wanted), display);
    const looking = watchBuild(pool, { pid, account, signal, over: over.signal });
    try {
      for (const each of wanted) {
        const line = await (drop ? dropOne : buildOne)(session, each, { signal, ...account });
        process.stdout.write(json ? line.json : line.text);
      }
    } finally {
      over.abort();
      await looking;
    }
  } catch (thrown) {
    // Whatever statement was cancelled.
    throw signal.aborted ? new InterruptedError() : asDatabaseError(thrown);
  } finally {
    display.end();
    forgetSignals();
    // Its settings are not those of other sessions, and with it goes the lock.
    session.release(true);
  }
}

/** Only a table's owner can index it, and PostgreSQL would say so only after it has waited for its turn. */
async function checkOwner(pool: pg.Pool, wanted: readonly ReaderIndex[]): Promise<void> {
  const { rows } = await pool.query<{ name: string; owner: string; me: string }>(
    `select relname as name, pg_get_userbyid(relowner) as owner, current_user::text as me from pg_class
     where relnamespace = current_schema()::regnamespace and relname = any ($1::text[])
       and not pg_has_role(relowner, 'usage')`,
    [wanted.map(({ table }) => table)],
  );
  const [first] = rows;
  if (first === undefined) return;
  throw new ConfigError(
    `database.url: the role "${first.me}" does not own the table "${first.name}": run blockmill index as "${first.owner}"`,
    { key: "database.url" },
  );
}

/**
 * One at a time in a schema, on any host. Asked for again and again: a session that waited in a statement would
 * have a snapshot, and the build that it waits for would wait for that in turn.
 */
async function takeTurn(
  session: pg.ClientBase,
  { schema, signal }: { schema: string; signal: AbortSignal },
): Promise<void> {
  for (let told = false; ; told = true) {
    const { taken } = await tryLock(session, `blockmill index ${schema}`, "session");
    if (taken) return;
    if (!told) process.stderr.write("another blockmill index is at work on this schema; waiting for it\n");
    await sleep(lookMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) throw new InterruptedError();
  }
}

interface Line {
  text: string;
  json: string;
}

async function buildOne(
  session: pg.ClientBase,
  index: ReaderIndex,
  options: Account & { signal: AbortSignal },
): Promise<Line> {
  options.name(index);
  const started = performance.now();
  const [before] = await readIndexStates(session, [index]);
  const after = await buildIndex(session, index, options);
  const seconds = (performance.now() - started) / 1_000;
  const isNew = before?.state !== "built";
  const how = isNew
    ? `built in ${span(seconds)}`
    : `there already${after.as === index.name ? "" : ` as ${after.as}`}`;
  return {
    text: `${index.name}: ${how}, ${megabytes(after.bytes)}\n`,
    json: jsonOf(after, { built: isNew, seconds: Math.round(seconds * 1_000) / 1_000 }),
  };
}

async function dropOne(
  session: pg.ClientBase,
  index: ReaderIndex,
  options: Account & { signal: AbortSignal },
): Promise<Line> {
  const dropped = await dropIndex(session, index, options);
  const { name, table } = index;
  return {
    text: `${name}: ${dropped ? "removed" : "was not there"}\n`,
    json: `${JSON.stringify({ index: name, table, dropped })}\n`,
  };
}

function jsonOf(
  { index, state, as, bytes, partitions, open }: IndexState,
  more: Record<string, unknown> = {},
): string {
  const { name, table, columns, usual } = index;
  const of = partitions === null ? {} : { partitions, partitions_open: open.length };
  return `${JSON.stringify({ index: name, table, columns, usual, state, as, bytes, ...of, ...more })}\n`;
}

function tableOf(states: readonly IndexState[]): string {
  const rows = states.map(({ index, state, as, bytes, partitions, open }) => {
    const part =
      partitions === null ? "" : ` (${partitions - open.length} of ${plural(partitions, "partition")})`;
    const there = as === index.name ? "there" : `there as ${as}`;
    const what = { built: there, unfinished: `unfinished${part}`, missing: "" }[state];
    return [
      index.name,
      index.usual ? "usual" : "",
      index.finds,
      what,
      state === "missing" ? "" : megabytes(bytes),
    ];
  });
  const columns = [{ head: "index" }, { head: "" }, { head: "finds" }, { head: "state" }, { head: "size" }];
  return formatTable(columns, rows, createPaint(process.stdout));
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
