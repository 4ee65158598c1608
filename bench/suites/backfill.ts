// Blocks a second of a backfill: blockmill as people run it (`blockmill range`, its own supervisor,
// orchestrator and workers) against a loop that only fetches, parses and COPYs, and against the indexers
// that people use now. All write the same blocks from the same node into the same server.
//
// The rate is that of the middle: from the moment when a tenth of the blocks is committed to the moment
// when nineteen twentieths are, by the commit time that PostgreSQL keeps of each row. So no process
// start is measured, of nobody.

import { openRange } from "../../src/queue/ranges.js";
import { waitFor } from "../../test/support/process.js";
import type { HeavyChain } from "../harness/chains.js";
import { type Product, type ProductConfig, runRange, webAddress, withDaemon } from "../harness/product.js";
import { type BenchProgram, forkProgram, programFile } from "../harness/program.js";
import type { BenchDatabase } from "../harness/server.js";
import { type Bench, type Cases, figures, interleave, type Suite, type Target } from "../harness/suite.js";
import { watch } from "../harness/watch.js";

const names = [
  "backfill-1",
  "backfill-roots",
  "backfill-2",
  "backfill-daemons",
  "backfill-watched",
  "backfill-latency",
  "backfill-far",
  "backfill-ponder",
  "backfill-subsquid",
] as const;
type Name = (typeof names)[number];

type Case =
  | "bare loop"
  | "2 bare loops"
  | "1 worker, cheap checks"
  | "1 worker, every root"
  | "2 workers, cheap checks"
  | "2 daemons, a worker each"
  | "a daemon that nobody watches"
  | "a daemon that is watched"
  | "1 worker, node 50 ms away"
  | "1 worker, node 200 ms away"
  | "Ponder"
  | "Subsquid";

const cheap = "1 worker, cheap checks";

/** What a benchmark measures, and what it is compared with. */
function ordersOf(name: Name): { of: Case; against: { name: Case; target?: Target }[]; note?: string } {
  switch (name) {
    case "backfill-1":
      return { of: cheap, against: [{ name: "bare loop", target: { atLeast: 1 } }] };
    case "backfill-roots":
      return { of: "1 worker, every root", against: [{ name: "bare loop", target: { atLeast: 0.55 } }] };
    case "backfill-2":
      return {
        of: "2 workers, cheap checks",
        against: [{ name: cheap, target: { atLeast: 1.4 } }, { name: "2 bare loops" }],
      };
    case "backfill-daemons":
      return {
        of: "2 daemons, a worker each",
        against: [{ name: cheap, target: { atLeast: 1.4 } }, { name: "2 workers, cheap checks" }],
      };
    case "backfill-watched":
      return {
        of: "a daemon that is watched",
        against: [{ name: "a daemon that nobody watches", target: { atLeast: 0.97 } }],
        note: "watched: scraped once a second, and a page that follows its events and its status",
      };
    case "backfill-latency":
      return { of: "1 worker, node 50 ms away", against: [{ name: cheap, target: { atLeast: 0.8 } }] };
    case "backfill-far":
      return { of: "1 worker, node 200 ms away", against: [{ name: cheap }] };
    case "backfill-ponder":
      return {
        of: cheap,
        against: [{ name: "Ponder", target: { atLeast: 12 } }],
        note: "Ponder stores the logs that its ABI decodes, about nine in ten here, and their transactions; the others store all",
      };
    case "backfill-subsquid":
      return { of: cheap, against: [{ name: "Subsquid", target: { atLeast: 7 } }] };
  }
}

export const backfill: Suite = {
  names,
  async run(bench, wanted) {
    const chosen = names.filter((name) => wanted.has(name)).map((name) => ({ name, ...ordersOf(name) }));
    const needed = new Set(chosen.flatMap(({ of, against }) => [of, ...against.map((each) => each.name)]));
    const chain = await bench.chains.heavy();
    const all = casesOf(bench, chain);
    const cases = Object.fromEntries(Object.entries(all).filter(([name]) => needed.has(name as Case)));
    const measured = await interleave<Case>(bench, cases as Cases<Case>);
    return chosen.flatMap(({ name, ...order }) => {
      const { against } = order;
      // Its second target is against a peer, if that is measured anyway.
      const peer = name === "backfill-roots" && measured.samples.Subsquid !== undefined;
      const all = peer ? [...against, { name: "Subsquid" as const, target: { atLeast: 4 } }] : against;
      return figures(measured, { benchmark: name, unit: "blocks/s", ...order, against: all });
    });
  },
};

function casesOf(bench: Bench, chain: HeavyChain): Record<Case, () => Promise<number>> {
  const { node } = chain;
  const product = (workers: number, verify: "bloom" | "roots") => (): Promise<number> =>
    measure(bench, chain, chain.blocks, (database) =>
      runRange({
        databaseUrl: database.url,
        rpcUrls: [node.url],
        profile: bench.profile,
        config: { chain: { verify } } satisfies ProductConfig,
        from: 1,
        to: chain.blocks,
        workers,
      }),
    );
  const away = async (latencyMs: number): Promise<number> => {
    await node.setFaults({ latencyMs });
    try {
      return await product(1, "bloom")();
    } finally {
      await node.clearFaults();
    }
  };
  // Fewer blocks are enough for what is far slower.
  const few = Math.ceil(chain.blocks / 5);
  return {
    "bare loop": () => measure(bench, chain, chain.blocks, (database) => runLoops(chain, database, 1)),
    "2 bare loops": () => measure(bench, chain, chain.blocks, (database) => runLoops(chain, database, 2)),
    "1 worker, cheap checks": product(1, "bloom"),
    "1 worker, every root": product(1, "roots"),
    "2 workers, cheap checks": product(2, "bloom"),
    "2 daemons, a worker each": () =>
      measure(bench, chain, chain.blocks, (database) => runDaemons(bench, chain, database)),
    "a daemon that nobody watches": () =>
      measure(bench, chain, chain.blocks, (database) =>
        runDaemon(bench, chain, { database, watched: false }),
      ),
    "a daemon that is watched": () =>
      measure(bench, chain, chain.blocks, (database) => runDaemon(bench, chain, { database, watched: true })),
    "1 worker, node 50 ms away": () => away(50),
    "1 worker, node 200 ms away": () => away(200),
    Ponder: () =>
      measurePeer(bench, chain, { file: "ponder.mjs", blocks: few, whole: ["blocks"], rate: ponderRate }),
    Subsquid: () =>
      measurePeer(bench, chain, {
        file: "subsquid.mjs",
        blocks: few,
        whole: ["blocks", "transactions", "logs"],
        rate: blocksPerSecond,
      }),
  };
}

/** Blocks a second of what `store` stores, after it was counted. */
async function measure(
  bench: Bench,
  chain: HeavyChain,
  blocks: number,
  store: (database: BenchDatabase) => Promise<void>,
): Promise<number> {
  const database = await bench.server.database();
  try {
    await database.settle();
    await store(database);
    await checkRows(database, { ...chain.rows(blocks) });
    return await blocksPerSecond(database);
  } finally {
    await database.drop();
  }
}

/** Two daemons that share a schema, as of two hosts, and a range that somebody asked for. */
async function runDaemons(bench: Bench, chain: HeavyChain, database: BenchDatabase): Promise<void> {
  const product = oneWorker(bench, chain, database);
  await withDaemon(product, () => withDaemon(product, () => storeRange(database, chain.blocks)));
}

/** A daemon, and whoever looks at it meanwhile. */
async function runDaemon(
  bench: Bench,
  chain: HeavyChain,
  { database, watched }: { database: BenchDatabase; watched: boolean },
): Promise<void> {
  const product = oneWorker(bench, chain, database);
  if (!watched) return withDaemon(product, () => storeRange(database, chain.blocks));
  const config = { ...product.config, web: { listen: "127.0.0.1:0" } };
  await withDaemon({ ...product, config }, async (daemon) => {
    const stop = watch(await webAddress(daemon));
    try {
      await storeRange(database, chain.blocks);
    } finally {
      await stop();
    }
  });
}

function oneWorker(bench: Bench, { node }: HeavyChain, database: BenchDatabase): Product {
  return {
    databaseUrl: database.url,
    rpcUrls: [node.url],
    profile: bench.profile,
    config: { chain: { verify: "bloom" }, pipeline: { workers: 1, auto_enqueue: false } },
  };
}

async function storeRange(database: BenchDatabase, blocks: number): Promise<void> {
  await openRange(database.pool, { from: 1, to: blocks });
  const stored = async (): Promise<boolean> => (await countRows(database, "blocks")) >= blocks;
  await waitFor(stored, { what: `${blocks} blocks`, timeoutMs: 600_000, everyMs: 500 });
}

async function runLoops(chain: HeavyChain, database: BenchDatabase, count: number): Promise<void> {
  const file = programFile("bare-loop");
  const share = Math.ceil(chain.blocks / count);
  const loops = Array.from({ length: count }, (_, i) => {
    const range = { from: 1 + i * share, to: Math.min(chain.blocks, (i + 1) * share) };
    const settings = { databaseUrl: database.url, nodeUrl: chain.node.url, ...range };
    return forkProgram<void>({ file, settings });
  });
  await runAll(loops);
}

async function runAll(programs: BenchProgram<void>[]): Promise<void> {
  try {
    await Promise.all(programs.map(({ ready }) => ready));
    for (const program of programs) program.go();
    await Promise.all(programs.map(({ result }) => result));
  } finally {
    await Promise.all(programs.map((program) => program.kill()));
  }
}

interface PeerCase {
  file: string;
  blocks: number;
  /** The tables whose rows must all be there; the peer makes them. */
  whole: readonly ("blocks" | "transactions" | "logs")[];
  /** Blocks a second, out of what the tables keep. */
  rate(database: BenchDatabase): Promise<number>;
}

async function measurePeer(
  bench: Bench,
  chain: HeavyChain,
  { file, blocks, whole, rate }: PeerCase,
): Promise<number> {
  const database = await bench.server.database({ empty: true });
  const settings = { databaseUrl: database.url, nodeUrl: chain.node.url, from: 1, to: blocks };
  const peer = bench.peers.fork<void>(file, { settings });
  try {
    await peer.ready;
    peer.go();
    let ended: unknown;
    peer.result.catch((error: unknown) => {
      ended = error;
    });
    const stored = async (): Promise<boolean> => {
      // Looked at before the tables: what it stored last is in them by then.
      const over = ended;
      const there = (await countRows(database, "blocks")) >= blocks;
      if (!there && over !== undefined) throw over;
      return there;
    };
    // Long: the slowest stores a few blocks a second on a busy machine.
    await waitFor(stored, { what: `${file} to store ${blocks} blocks`, timeoutMs: 600_000, everyMs: 500 });
    const rows = chain.rows(blocks);
    for (const table of ["transactions", "logs"] as const) {
      bench.say(`${file}: ${await countRows(database, table)} of ${rows[table]} ${table}`);
    }
    await checkRows(database, Object.fromEntries(whole.map((table) => [table, rows[table]])));
    return await rate(database);
  } finally {
    await peer.kill();
    await database.drop();
  }
}

/** 0 if there is no such table yet. */
async function countRows({ pool }: BenchDatabase, table: string): Promise<number> {
  const { rows } = await pool.query<{ there: boolean }>("select to_regclass($1) is not null as there", [
    table,
  ]);
  if (!rows[0]?.there) return 0;
  const { rows: counted } = await pool.query<{ count: string }>(`select count(*) from ${table}`);
  return Number(counted[0]?.count);
}

/** Ponder first stores what it fetches, then indexes it, and keeps most in memory until the end: so the whole. */
async function ponderRate({ pool }: BenchDatabase): Promise<number> {
  const { rows } = await pool.query<{ blocks: number; seconds: number }>(
    `select (select count(*) from blocks)::int as blocks, extract(epoch from
       (select max(pg_xact_commit_timestamp(xmin)) from blocks)
       - (select min(pg_xact_commit_timestamp(xmin)) from ponder_sync.blocks))::float8 as seconds`,
  );
  return (rows[0]?.blocks ?? Number.NaN) / (rows[0]?.seconds ?? Number.NaN);
}

async function checkRows(database: BenchDatabase, expected: Record<string, number>): Promise<void> {
  for (const [table, count] of Object.entries(expected)) {
    const { rows } = await database.pool.query<{ count: string }>(`select count(*) from ${table}`);
    const found = Number(rows[0]?.count);
    if (found !== count) throw new Error(`${table} has ${found} rows, expected ${count}`);
  }
}

async function blocksPerSecond({ pool }: BenchDatabase): Promise<number> {
  const { rows } = await pool.query<{ at: number; blocks: string }>(
    `select extract(epoch from pg_xact_commit_timestamp(xmin))::float8 as at, count(*) as blocks
     from blocks group by 1 order by 1`,
  );
  const all = rows.reduce((sum, { blocks }) => sum + Number(blocks), 0);
  let committed = 0;
  const points = rows.map(({ at, blocks }) => {
    committed += Number(blocks);
    return { at, committed };
  });
  const first = points.find((point) => point.committed >= all * 0.1);
  const last = points.find((point) => point.committed >= all * 0.95);
  if (first === undefined || last === undefined || first === last)
    throw new Error("too few commits to measure");
  return (last.committed - first.committed) / (last.at - first.at);
}
