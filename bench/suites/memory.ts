// The resident memory of a worker that stores full blocks without a pause. The same blocks come again and
// again, into tables that are emptied in between.

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../test/support/process.js";
import type { HeavyChain } from "../harness/chains.js";
import { withDaemon, workerPids } from "../harness/product.js";
import { quantile, slopeOf } from "../harness/statistics.js";
import { storeAll } from "../harness/store-all.js";
import { type Bench, figures, type Suite } from "../harness/suite.js";

export const memory: Suite = {
  names: ["memory"],
  async run(bench) {
    const { minutes } = bench;
    const chain = await bench.chains.heavy();
    const { samples, blocks } = await watchWorker(bench, chain, minutes);
    const megabytes = samples.map(({ mb }) => mb);
    const half = samples.slice(Math.floor(samples.length / 2));
    const slope = slopeOf(half.map(({ atMs, mb }) => ({ x: atMs / 60_000, y: mb })));
    const note = `one worker, ${minutes} minutes, ${blocks} blocks, once`;
    const measured = {
      samples: {
        "a worker's largest": [Math.max(...megabytes)],
        "a worker's median": [quantile(megabytes, 0.5)],
        "growth in the second half": [slope],
      },
      failures: {},
    };
    return [
      ...figures(measured, {
        benchmark: "memory",
        of: "a worker's largest",
        unit: "MB",
        target: { atMost: 250 },
        note,
      }),
      ...figures(measured, { benchmark: "memory", of: "a worker's median", unit: "MB", note }),
      ...figures(measured, { benchmark: "memory", of: "growth in the second half", unit: "MB/min", note }),
    ];
  },
};

async function watchWorker(
  bench: Bench,
  chain: HeavyChain,
  minutes: number,
): Promise<{ samples: { atMs: number; mb: number }[]; blocks: number }> {
  const database = await bench.server.database();
  const config = { chain: { verify: "roots" }, pipeline: { workers: 1, auto_enqueue: false } };
  try {
    const product = { databaseUrl: database.url, rpcUrls: [chain.node.url], config, profile: bench.profile };
    return await withDaemon(product, async (daemon) => {
      await waitFor(() => workerPids(daemon).length === 1, { what: "the worker" });
      const [pid = 0] = workerPids(daemon);
      const samples: { atMs: number; mb: number }[] = [];
      const started = performance.now();
      const over = (): boolean => performance.now() - started >= minutes * 60_000;
      const ended = new AbortController();
      const sampling = (async () => {
        while (!ended.signal.aborted) {
          samples.push({ atMs: performance.now() - started, mb: residentMb(pid) });
          await sleep(500, undefined, { signal: ended.signal }).catch(() => {});
        }
      })();
      let blocks = 0;
      while (!over()) blocks += await storeAll(database.pool, { blocks: chain.blocks, over });
      ended.abort();
      await sampling;
      if (workerPids(daemon)[0] !== pid) throw new Error("the worker was replaced meanwhile");
      return { samples, blocks };
    });
  } finally {
    await database.drop();
  }
}

function residentMb(pid: number): number {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) / 1_000;
}
