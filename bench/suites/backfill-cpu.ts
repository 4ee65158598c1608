// Where the CPU of a backfill goes, and how many blocks a second the machine's cores have room for: what a second
// worker can gain where the node and PostgreSQL run on the same machine.

import { cpus } from "node:os";
import { waitFor } from "../../test/support/process.js";
import type { HeavyChain } from "../harness/chains.js";
import { cpuMs } from "../harness/cpu.js";
import { withDaemon, workerPids } from "../harness/product.js";
import { storeAll } from "../harness/store-all.js";
import { type Bench, figures, type Suite } from "../harness/suite.js";

const benchmark = "backfill-cpu";
const parts = ["blockmill", "PostgreSQL", "the node"] as const;
const cores = cpus().length;
const room = `room for, on ${cores} cores`;

type Part = (typeof parts)[number];
/** Milliseconds of a block, and blocks a second. */
type Sample = Record<Part | "1 worker" | typeof room, number>;

export const backfillCpu: Suite = {
  names: [benchmark],
  async run(bench) {
    const chain = await bench.chains.heavy();
    const all = await watchDaemon(bench, chain);
    const samples = Object.fromEntries(
      [...parts, "1 worker", room].map((name) => [name, all.map((sample) => sample[name as Part])]),
    ) as Record<keyof Sample, number[]>;
    const measured = { samples, failures: {} };
    return [
      ...parts.flatMap((of) => figures(measured, { benchmark, of, unit: "ms of CPU a block" })),
      ...figures(measured, { benchmark, of: room, unit: "blocks/s", against: [{ name: "1 worker" }] }),
    ];
  },
};

async function watchDaemon(
  { server, profile, repetitions, say }: Bench,
  chain: HeavyChain,
): Promise<Sample[]> {
  const database = await server.database();
  const config = { chain: { verify: "bloom" }, pipeline: { workers: 1, auto_enqueue: false } };
  const product = { databaseUrl: database.url, rpcUrls: [chain.node.url], config, profile };
  try {
    return await withDaemon(product, async (daemon) => {
      await waitFor(() => workerPids(daemon).length === 1, { what: "the worker" });
      const pids: Record<Part, number> = {
        blockmill: daemon.pid,
        PostgreSQL: server.pid,
        "the node": chain.node.pid,
      };
      const used = () => parts.map((part) => cpuMs(pids[part]));
      const samples: Sample[] = [];
      // Once before, to warm up.
      for (let repetition = 0; repetition <= repetitions; repetition += 1) {
        const started = performance.now();
        const before = used();
        const blocks = await storeAll(database.pool, chain);
        const after = used();
        const rate = (blocks * 1_000) / (performance.now() - started);
        const [blockmill = 0, postgres = 0, node = 0] = after.map(
          (ms, i) => (ms - (before[i] ?? 0)) / blocks,
        );
        const most = (cores * 1_000) / (blockmill + postgres + node);
        say(`${repetition}/${repetitions}  ${benchmark}: ${rate.toFixed(0)} of ${most.toFixed(0)} blocks/s`);
        if (repetition > 0)
          samples.push({
            blockmill,
            PostgreSQL: postgres,
            "the node": node,
            "1 worker": rate,
            [room]: most,
          });
      }
      return samples;
    });
  } finally {
    await database.drop();
  }
}
