// The plan's own figures: what the project set out to do, beside what the daemon's metrics say of it while full blocks
// are stored by 1, 5, 10 and 50 workers. Each is read from /metrics, as an operator reads it.

import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../test/support/process.js";
import type { HeavyChain } from "../harness/chains.js";
import { webAddress, withDaemon } from "../harness/product.js";
import { type Samples, scrape, sumOf, upperQuantile } from "../harness/scrape.js";
import { storeAll } from "../harness/store-all.js";
import { type Bench, figures, type Measured, type Suite, type Target } from "../harness/suite.js";

const counts = [1, 5, 10, 50];

/** What is measured with each number of workers, by unit. */
type Measure = "throughput" | "latency" | "utilisation" | "errors" | "memory" | "connections";

const units: Record<Measure, string> = {
  throughput: "blocks/hour",
  latency: "s, p99 of its stages added up",
  utilisation: "% of the workers at work",
  errors: "% of attempts failed",
  memory: "MB, the largest worker",
  connections: "connections",
};

/** What the plan wants. Of the number of blocks it has figures for 5 and 10 workers, and a range for any. */
function targetOf(measure: Measure, workers: number): Target | undefined {
  switch (measure) {
    case "throughput":
      return { atLeast: workers >= 10 ? 4_000 : workers >= 5 ? 2_000 : 1_000 };
    case "latency":
      return { below: 30 };
    case "utilisation":
      return { atLeast: 80 };
    case "errors":
      return { below: 1 };
    case "memory":
      return { atMost: 500 };
    case "connections":
      return { atMost: connectionsFor(workers) };
  }
}

/** Two for each worker, and seven for the rest of the daemon: what the documents ask for. */
function connectionsFor(workers: number): number {
  return 2 * workers + 7;
}

export const plan: Suite = {
  names: ["plan"],
  async run(bench) {
    const chain = await bench.chains.heavy();
    const measured: Measured<string> = { samples: {}, failures: {} };
    const orders = counts.flatMap((workers) =>
      (Object.keys(units) as Measure[]).map((measure) => ({ workers, measure })),
    );
    const nameOf = (workers: number, measure: Measure): string =>
      `${workers} worker${workers === 1 ? "" : "s"}: ${measure}`;
    for (let repetition = 1; repetition <= bench.repetitions; repetition += 1) {
      for (const workers of counts) {
        const found = await observe(bench, chain, workers);
        for (const [measure, value] of Object.entries(found) as [Measure, number][]) {
          const name = nameOf(workers, measure);
          measured.samples[name] = [...(measured.samples[name] ?? []), value];
        }
        bench.say(`${repetition}/${bench.repetitions}  ${workers}: ${JSON.stringify(found)}`);
      }
    }
    return orders.flatMap(({ workers, measure }) => {
      const target = targetOf(measure, workers);
      return figures(measured, {
        benchmark: "plan",
        of: nameOf(workers, measure),
        unit: units[measure],
        ...(target && { target }),
      });
    });
  },
};

/** Stores the chain again and again for a while, and reads how that went from the daemon's metrics. */
async function observe(
  bench: Bench,
  { node, blocks }: HeavyChain,
  workers: number,
): Promise<Record<Measure, number>> {
  const seconds = bench.quick ? 6 : 30;
  const database = await bench.server.database();
  const config = {
    pipeline: { workers, auto_enqueue: false, hung_seconds: 300 },
    database: { pool_size: connectionsFor(workers), max_overflow: 0 },
    web: { listen: "127.0.0.1:0" },
  };
  try {
    const product = { databaseUrl: database.url, rpcUrls: [node.url], config, profile: bench.profile };
    return await withDaemon(product, async (daemon) => {
      const address = await webAddress(daemon);
      const look = (): Promise<Samples> => scrape(address);
      await waitFor(async () => sumOf(await look(), "blockmill_workers", { state: "idle" }) === workers, {
        what: `${workers} workers`,
        timeoutMs: 600_000,
        everyMs: 1_000,
      });
      const before = await look();
      const started = performance.now();
      const over = (): boolean => performance.now() - started >= seconds * 1_000;
      const seen: Samples[] = [];
      const ended = new AbortController();
      const sampling = (async () => {
        while (!ended.signal.aborted) {
          await sleep(1_000, undefined, { signal: ended.signal }).catch(() => {});
          seen.push(await look());
        }
      })();
      // Whole rounds, so that what was committed is what was asked for.
      while (!over()) await storeAll(database.pool, { blocks });
      const elapsedSeconds = (performance.now() - started) / 1_000;
      ended.abort();
      await sampling;
      // What workers counted since their last heartbeat is on its way.
      await sleep(2_000);
      return conclude({ before, after: await look(), seen, workers, elapsedSeconds });
    });
  } finally {
    await database.drop();
  }
}

function conclude({
  before,
  after,
  seen,
  workers,
  elapsedSeconds,
}: {
  before: Samples;
  after: Samples;
  seen: readonly Samples[];
  workers: number;
  elapsedSeconds: number;
}): Record<Measure, number> {
  const since = (name: string): number => sumOf(after, name) - sumOf(before, name);
  const committed = since("blockmill_blocks_committed_total");
  const failed = since("blockmill_job_failures_total");
  // A worker that waits for its turn has nothing to do: only looks at which each of them could have a job count.
  const atWork = seen.filter((look) => sumOf(look, "blockmill_jobs", { status: "pending" }) >= workers);
  const busy = atWork.map((look) => sumOf(look, "blockmill_workers", { state: "working" }) / workers);
  const largest = seen.flatMap((look) =>
    look
      .filter(
        ({ name, labels }) =>
          name === "blockmill_process_resident_memory_bytes" && labels.process?.startsWith("worker-"),
      )
      .map(({ value }) => value),
  );
  const stages = ["fetch", "verify", "decode", "encode", "database_wait", "commit"];
  return {
    throughput: (committed / elapsedSeconds) * 3_600,
    latency: stages.reduce(
      (sum, stage) => sum + upperQuantile(after, "blockmill_stage_seconds", { labels: { stage }, q: 0.99 }),
      0,
    ),
    utilisation: (100 * busy.reduce((sum, each) => sum + each, 0)) / busy.length,
    errors: (100 * failed) / (committed + failed),
    memory: Math.max(...largest) / 1_000_000,
    connections: Math.max(...seen.map((look) => sumOf(look, "blockmill_database_connections"))),
  };
}
