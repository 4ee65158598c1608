// The demo: a PostgreSQL server and a chain of one's own, the real program between them, and what happens
// in front of one's eyes. Everything is gone when it ends.

import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describeError } from "../../src/errors.js";
import { createRedact } from "../../src/redact.js";
import { projectRoot } from "../support/project.js";
import { type DemoChain, startDemoChain } from "./chain.js";
import { checkBlocks, clientOf, type Difference } from "./check.js";
import { type DemoOptions, DemoUsageError, parseOptions, usage } from "./options.js";
import { type DemoPlace, openPlace } from "./place.js";
import { lastLines, type RunningProgram, startProgram } from "./program.js";
import { createShow, type Show } from "./show.js";
import { countJobs, countRows, waitUntilFollowing, watchBlocks } from "./watch.js";

/** What every kind of demo works with. */
interface Stage {
  show: Show;
  /** Aborts on Ctrl-C. */
  interrupted: AbortSignal;
  /** Called on every Ctrl-C after the first, too. */
  onInterrupt(callback: () => void): void;
  /** Registers what is to be ended with the demo; the last one first. */
  atEnd(close: () => Promise<void>): void;
}

/** Blocks that are on the chain before blockmill comes: they are there to be asked for. */
const historyBlocks = 100;
/** Between two blocks: when somebody watches, and when there is a number to be reached. */
const watchedMs = 1_000;
const quickMs = 60;
/** Without a block for so long, the ones that are missing will not come. */
const stallMs = 30_000;

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  let options: DemoOptions | null;
  try {
    options = parseOptions(args);
  } catch (error) {
    if (!(error instanceof DemoUsageError)) throw error;
    console.error(`${error.message}\n${usage}`);
    return 2;
  }
  if (options === null) {
    console.log(usage);
    return 0;
  }
  return onStage((stage) => play(options, stage));
}

function play(options: DemoOptions, stage: Stage): Promise<number> {
  if (options.mode === "range") return storeRange(options, stage);
  if (options.mode === "blocks") return storeBlocks(options.blocks, stage);
  return follow(stage);
}

/** Until Ctrl-C: a block every second, and old blocks for whoever wants to inject jobs. */
async function follow(stage: Stage): Promise<number> {
  const { show, interrupted } = stage;
  show.title();
  show.step("starting PostgreSQL and a chain");
  const { chain, place } = await openWorld(stage, { startBlock: null, history: historyBlocks });
  if (interrupted.aborted) return 0;
  showWorld(stage, { chain, place, pace: "a block every second" });
  const insert = `INSERT INTO processing_jobs (block_number) SELECT generate_series(0, ${historyBlocks - 1});`;
  show.hint(`Blocks 0 to ${historyBlocks - 1} are not stored yet. Ask for them, from another terminal:`, [
    ...(hasPsql() ? [] : ["apt-get install postgresql-client    # psql is not installed here"]),
    `psql '${place.databaseUrl}' -c "${insert}"`,
  ]);
  show.hint("The same without psql, and a look around:", [
    `bin/blockmill -c ${place.configFile} enqueue 0 ${historyBlocks - 1}`,
    `bin/blockmill -c ${place.configFile} status`,
  ]);
  show.hint("Ctrl-C ends it, and leaves nothing behind.", []);
  const watched = await watchStart(stage, { chain, place, paceMs: watchedMs, done: () => false });
  const rows = await countRows(place.pool);
  show.summary({ ...watched, rows, blocks: blocksIn(rows) });
  return 0;
}

/** Blocks 0 to count - 1, quickly; then each is compared with the chain. */
async function storeBlocks(count: number, stage: Stage): Promise<number> {
  const { show, interrupted } = stage;
  show.title();
  show.step("starting PostgreSQL and a chain");
  const { chain, place } = await openWorld(stage, { startBlock: 0, history: 0 });
  if (interrupted.aborted) return 1;
  showWorld(stage, { chain, place, pace: `${count} blocks` });
  const done = doneOrStalled(place, count);
  const mineMore = () => chain.head() < count - 1;
  const { seconds, latencies } = await watchStart(stage, { chain, place, paceMs: quickMs, mineMore, done });
  return verdict(stage, { place, url: chain.url, from: 0, to: count - 1, seconds, latencies });
}

/** Blocks of somebody else's chain, through `blockmill range`. */
async function storeRange(
  { rpcUrl, from, to }: { rpcUrl: string; from: number; to: number },
  stage: Stage,
): Promise<number> {
  const { show, interrupted } = stage;
  const name = new URL(rpcUrl).host;
  show.title();
  const head = await headOf(rpcUrl, name);
  if (to > head.number) throw new Error(`${name} does not have block ${to} yet: its head is ${head.number}`);
  show.step("starting PostgreSQL");
  const place = await openPlace({
    rpc: { urls: [rpcUrl] },
    pipeline: { workers: 4, auto_enqueue: false },
    log: { level: "warn" },
  });
  stage.atEnd(place.close);
  if (interrupted.aborted) return 1;
  show.facts([
    ["PostgreSQL", `${place.databaseUrl}  (${place.postgresVersion})`],
    ["chain", `${name}  (chain ${head.chainId})`],
    ["blockmill", `bin/blockmill range ${from} ${to}`],
  ]);
  show.line();
  const started = performance.now();
  const program = startProgram(["range", String(from), String(to)], { configFile: place.configFile });
  stage.atEnd(() => endProgram(program));
  stage.onInterrupt(program.ask);
  const code = await program.exited;
  const seconds = (performance.now() - started) / 1_000;
  if (code !== 0)
    show.line(`  blockmill range ended with ${code === null ? "a signal" : `exit code ${code}`}`);
  const verdictCode = await verdict(stage, { place, url: rpcUrl, from, to, seconds, latencies: [] });
  return code === 0 ? verdictCode : 1;
}

interface World {
  chain: DemoChain;
  place: DemoPlace;
}

async function openWorld(
  { atEnd }: Stage,
  { startBlock, history }: { startBlock: number | null; history: number },
): Promise<World> {
  const chain = await startDemoChain();
  atEnd(chain.stop);
  const mineHistory = async (): Promise<void> => {
    while (chain.head() < history) await chain.mine();
  };
  const [place] = await Promise.all([
    openPlace({
      rpc: { urls: [chain.url] },
      chain: { start_block: startBlock },
      pipeline: { workers: 2, check_interval: 0.05 },
    }),
    mineHistory(),
  ]);
  atEnd(place.close);
  return { chain, place };
}

function showWorld({ show }: Stage, { chain, place, pace }: World & { pace: string }): void {
  show.facts([
    ["PostgreSQL", `${place.databaseUrl}  (${place.postgresVersion})`],
    ["chain", `${chain.url}  (anvil, chain ${chain.chainId}, ${pace})`],
    ["blockmill", "bin/blockmill start  (a supervisor, an orchestrator, 2 workers)"],
    ["its log", place.logFile],
  ]);
}

interface Watched extends World {
  paceMs: number;
  /** Whether the chain is to go on. */
  mineMore?: () => boolean;
  /** Whether all that was wanted has happened; asked again and again. */
  done: () => Promise<boolean> | boolean;
}

/**
 * Runs `blockmill start` while the chain goes on, and shows every block that is committed, until it is
 * done or interrupted. Then blockmill has drained and ended. Throws when it ends by itself.
 */
async function watchStart(
  stage: Stage,
  { chain, place, paceMs, mineMore = () => true, done }: Watched,
): Promise<{ seconds: number; latencies: number[] }> {
  const { show, interrupted } = stage;
  const started = performance.now();
  const program = startProgram(["start"], place);
  const stopped = new AbortController();
  let code: number | null | undefined;
  void program.exited.then((exitCode) => {
    code = exitCode;
    stopped.abort();
  });
  stage.atEnd(() => endProgram(program));
  const running = AbortSignal.any([interrupted, stopped.signal]);
  await waitUntilFollowing(place.pool, running);

  // The blocks that are there already did not appear while anybody looked.
  const appeared = new Map<number, number | null>([[chain.head(), null]]);
  const latencies: number[] = [];
  show.tableHead();
  const watching = new AbortController();
  const watched = watchBlocks(place.pool, {
    signal: watching.signal,
    onCommitted(blocks) {
      for (const block of blocks.filter(({ number }) => appeared.has(number))) {
        const at = appeared.get(block.number) ?? null;
        const latency = at === null ? null : Math.max(0, block.committedAt - at);
        if (latency !== null) latencies.push(latency);
        show.block(block, latency);
      }
      const others = blocks.filter(({ number }) => !appeared.has(number));
      for (const { number } of blocks) appeared.delete(number);
      for (const run of consecutive(others)) show.askedFor(run);
    },
    onFailed: show.failures,
  });
  const goOn = async (): Promise<void> => {
    for (let next = performance.now(); !running.aborted && !(await done()); ) {
      if (mineMore()) {
        // Known before it is mined, since it may be stored before the node's answer is read.
        appeared.set(chain.head() + 1, null);
        const { number, appearedAt } = await chain.mine();
        if (appeared.has(number)) appeared.set(number, appearedAt);
      }
      next = Math.max(next + paceMs, performance.now());
      await sleep(next - performance.now(), undefined, { signal: running }).catch(() => {});
    }
  };
  await Promise.race([goOn(), watched]);
  const endedByItself = code !== undefined && !interrupted.aborted;
  if (interrupted.aborted) {
    show.line();
    show.step("ending: blockmill finishes what it holds (Ctrl-C again: it gives it back)");
  }
  stage.onInterrupt(program.ask);
  await endProgram(program);
  watching.abort();
  await watched;
  if (endedByItself) {
    for (const line of lastLines(place.logFile, 12)) show.line(line);
    throw new Error(`blockmill start ended by itself (exit code ${code}); its last lines are above`);
  }
  return { seconds: (performance.now() - started) / 1_000, latencies };
}

/** Settles what is left of it: asks it to end, and waits until it has. */
async function endProgram(program: RunningProgram): Promise<void> {
  program.ask();
  await program.exited;
}

/** Whether all blocks are done, or none was for so long that the missing ones will not come. */
function doneOrStalled(place: DemoPlace, count: number): () => Promise<boolean> {
  let most = -1;
  let since = performance.now();
  return async () => {
    const { open, completed, failed } = await countJobs(place.pool);
    if (completed > most) since = performance.now();
    most = Math.max(most, completed);
    const allSettled = open === 0 && completed + failed >= count;
    return allSettled || performance.now() - since > stallMs;
  };
}

interface Stored {
  place: DemoPlace;
  url: string;
  from: number;
  to: number;
  seconds: number;
  latencies: number[];
}

/** Compares what is stored with the chain, shows the summary, and returns the exit code. */
async function verdict(
  { show }: Stage,
  { place, url, from, to, seconds, latencies }: Stored,
): Promise<number> {
  const differences: Difference[] = await checkBlocks(place.pool, clientOf(url), { from, to });
  const rows = await countRows(place.pool);
  const checked = { blocks: to - from + 1, ok: differences.length === 0 };
  show.summary({ blocks: blocksIn(rows), seconds, rows, latencies, checked });
  show.differences(differences);
  return checked.ok ? 0 : 1;
}

async function headOf(rpcUrl: string, name: string): Promise<{ number: number; chainId: number }> {
  const client = clientOf(rpcUrl);
  try {
    return { number: Number(await client.getBlockNumber()), chainId: await client.getChainId() };
  } catch (cause) {
    // viem's own message repeats the request over many lines.
    const { details } = cause as { details?: string };
    throw new Error(`${name} does not answer${details === undefined ? "" : `: ${details}`}`);
  }
}

function blocksIn(rows: [table: string, rows: number][]): number {
  return new Map(rows).get("blocks") ?? 0;
}

/** Cuts a list of blocks where their numbers leave a gap. */
function consecutive<T extends { number: number }>(blocks: T[]): T[][] {
  const runs: T[][] = [];
  for (const block of blocks) {
    const run = runs.at(-1);
    if (run?.at(-1)?.number === block.number - 1) run.push(block);
    else runs.push([block]);
  }
  return runs;
}

function hasPsql(): boolean {
  const folders = (process.env.PATH ?? "").split(path.delimiter);
  return folders.some((folder) => folder !== "" && existsSync(path.join(folder, "psql")));
}

/** Runs a demo with a clean end: whatever happens, all that it registered is ended, the last first. */
async function onStage(run: (stage: Stage) => Promise<number>): Promise<number> {
  // The commands that are shown and the program itself are found from the checkout.
  process.chdir(projectRoot);
  const colour = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== "dumb";
  const show = createShow({ write: (text) => process.stdout.write(text), colour });
  const interrupted = new AbortController();
  const callbacks: (() => void)[] = [];
  const closers: (() => Promise<void>)[] = [];
  const onSignal = (): void => {
    interrupted.abort();
    for (const callback of callbacks) callback();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  // Whoever read what is shown has gone.
  process.stdout.on("error", onSignal);
  try {
    return await run({
      show,
      interrupted: interrupted.signal,
      onInterrupt: (callback) => callbacks.push(callback),
      atEnd: (close) => closers.push(close),
    });
  } catch (error) {
    console.error(`demo: ${createRedact([])(describeError(error))}`);
    return 1;
  } finally {
    for (const close of closers.reverse()) await close().catch((error: unknown) => console.error(error));
  }
}
