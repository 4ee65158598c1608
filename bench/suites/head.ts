// From a node's announcement of a block to its committed rows, a block a second. The announcement is
// when this process, subscribed beside the one that is measured, is pushed the head; the commit is the
// time that PostgreSQL keeps of it (taken as it begins to write the commit, for everybody alike).

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import { waitFor } from "../../test/support/process.js";
import type { HeavyChain } from "../harness/chains.js";
import { withDaemon } from "../harness/product.js";
import { forkProgram, programFile } from "../harness/program.js";
import type { BenchDatabase } from "../harness/server.js";
import { quantile } from "../harness/statistics.js";
import { type Bench, figures, interleave, type Measured, type Suite } from "../harness/suite.js";

/** The first blocks of each run warm it up. */
const warmUp = 3;
const everyMs = 1_000;

type Case = "blockmill, cheap checks" | "blockmill, every root" | "newHeads, fetch, one transaction";

export const head: Suite = {
  names: ["head"],
  async run(bench) {
    const chain = await bench.chains.heavy();
    await chain.node.setFinalityDepth(64);
    const latencies: Record<Case, number[]> = {
      "blockmill, cheap checks": [],
      "blockmill, every root": [],
      "newHeads, fetch, one transaction": [],
    };
    try {
      const medians = await interleave<Case>(bench, {
        "newHeads, fetch, one transaction": () => floor(bench, chain, latencies),
        "blockmill, cheap checks": () => product(bench, chain, { latencies, verify: "bloom" }),
        "blockmill, every root": () => product(bench, chain, { latencies, verify: "roots" }),
      });
      return [
        ...figures<Case>(medians, {
          benchmark: "head",
          of: "blockmill, cheap checks",
          unit: "ms p50",
          against: [{ name: "newHeads, fetch, one transaction", target: { atMost: 1.25 } }],
        }),
        ...figures<Case>(medians, {
          benchmark: "head",
          of: "blockmill, every root",
          unit: "ms p50",
          against: [{ name: "newHeads, fetch, one transaction" }],
        }),
        ...figures<Case>(p99s(medians, latencies), {
          benchmark: "head",
          of: "blockmill, cheap checks",
          unit: "ms p99",
          target: { atMost: 150 },
          against: [{ name: "newHeads, fetch, one transaction" }],
          note: `p99 of all repetitions together: of ${latencies["blockmill, cheap checks"].length} blocks`,
        }),
      ];
    } finally {
      await chain.node.setHead(chain.blocks);
      await chain.node.setFinalityDepth(0);
    }
  },
};

function p99s(medians: Measured<Case>, latencies: Record<Case, number[]>): Measured<Case> {
  const samples = Object.fromEntries(
    Object.entries(latencies).map(([name, all]) => [
      name,
      all.length === 0 ? undefined : [quantile(all, 0.99)],
    ]),
  );
  return { ...medians, samples };
}

async function floor(bench: Bench, chain: HeavyChain, latencies: Record<Case, number[]>): Promise<number> {
  return withDatabase(bench, async (database) => {
    const program = forkProgram<void>({
      file: programFile("bare-head"),
      settings: { databaseUrl: database.url, nodeUrl: chain.node.url },
    });
    try {
      const announced = await mine(bench, chain, async () => {
        await program.ready;
        program.go();
      });
      const all = await latenciesOf(database, announced);
      await program.finish();
      latencies["newHeads, fetch, one transaction"].push(...all);
      return quantile(all, 0.5);
    } finally {
      await program.kill();
    }
  });
}

function product(
  bench: Bench,
  chain: HeavyChain,
  { latencies, verify }: { latencies: Record<Case, number[]>; verify: "bloom" | "roots" },
): Promise<number> {
  return withDatabase(bench, async (database) => {
    const config = { chain: { verify }, pipeline: { workers: 2 } };
    const options = {
      databaseUrl: database.url,
      rpcUrls: [chain.node.wsUrl],
      config,
      profile: bench.profile,
    };
    // Where it begins to follow.
    await chain.node.setHead(firstHead(bench, chain));
    return withDaemon(options, async () => {
      const announced = await mine(bench, chain, () => isFollowing(database));
      const all = await latenciesOf(database, announced);
      latencies[verify === "bloom" ? "blockmill, cheap checks" : "blockmill, every root"].push(...all);
      return quantile(all, 0.5);
    });
  });
}

/** The daemon has stored the head that it found: it follows. */
async function isFollowing({ pool }: BenchDatabase): Promise<void> {
  const stored = async (): Promise<boolean> =>
    (await pool.query("select from blocks limit 1")).rows.length > 0;
  await waitFor(stored, { what: "the daemon to store the head", timeoutMs: 30_000, everyMs: 50 });
}

/** The head below the blocks that are mined. */
function firstHead(bench: Bench, { blocks }: { blocks: number }): number {
  return blocks - warmUp - (bench.quick ? 8 : 40);
}

/** Mines a block a second, and returns when each was announced, in milliseconds since 1970, by its number. */
async function mine(
  bench: Bench,
  { node, blocks }: HeavyChain,
  ready: () => Promise<void>,
): Promise<Map<number, number>> {
  const announced = new Map<number, number>();
  const first = firstHead(bench, { blocks });
  await node.setHead(first);
  const socket = new WebSocket(node.wsUrl);
  await once(socket, "open");
  socket.on("message", (data) => {
    const at = performance.timeOrigin + performance.now();
    const { params } = JSON.parse(String(data)) as { params?: { result: { number: string } } };
    if (params !== undefined) announced.set(Number(params.result.number), at);
  });
  socket.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
  await once(socket, "message");
  await ready();
  for (let number = first + 1; number <= blocks; number += 1) {
    await node.setHead(number);
    await sleep(everyMs);
  }
  socket.terminate();
  for (let i = 1; i <= warmUp; i += 1) announced.delete(first + i);
  return announced;
}

async function latenciesOf({ pool }: BenchDatabase, announced: Map<number, number>): Promise<number[]> {
  const { rows } = await pool.query<{ number: string; at: number }>(
    "select number, extract(epoch from pg_xact_commit_timestamp(xmin))::float8 * 1000 as at from blocks",
  );
  const committed = new Map(rows.map(({ number, at }) => [Number(number), at]));
  return [...announced].map(([number, at]) => {
    const end = committed.get(number);
    if (end === undefined) throw new Error(`block ${number} was not stored`);
    return end - at;
  });
}

async function withDatabase(
  bench: Bench,
  use: (database: BenchDatabase) => Promise<number>,
): Promise<number> {
  const database = await bench.server.database();
  try {
    return await use(database);
  } finally {
    await database.drop();
  }
}
