// From an INSERT's sending to the start of its handler, while everybody sleeps. For blockmill the handler is
// what its pipeline does for a job; for the others it is the handler's first line; the floor is a
// LISTEN that is told of the same INSERT. Each sender is in the process that is woken, and lets everybody fall
// asleep again before it sends the next. What a whole daemon takes, with its orchestrator, until the request has
// arrived at its node, in another process and by way of HTTP, stands beside it.

import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { waitFor } from "../../test/support/process.js";
import { withDaemon } from "../harness/product.js";
import { forkProgram, monotonicMs, programFile } from "../harness/program.js";
import type { BenchDatabase } from "../harness/server.js";
import { quantile } from "../harness/statistics.js";
import { type Bench, figures, interleave, type Suite } from "../harness/suite.js";

const insert = "insert into processing_jobs (block_number) values ($1)";

export const wake: Suite = {
  names: ["wake"],
  async run(bench) {
    const times = bench.quick ? 30 : 200;
    const measured = await interleave(bench, {
      LISTEN: () => listenLatency(bench, times),
      blockmill: () => workerLatency(bench, times),
      "blockmill, to its node": () => daemonLatency(bench, times),
      "graphile-worker": () => peerLatency(bench, { file: "graphile-worker.mjs", times }),
      "pg-boss, with notify": () => peerLatency(bench, { file: "pg-boss.mjs", times }),
    });
    const order = { benchmark: "wake", unit: "ms p50" };
    const floor = { name: "LISTEN" as const };
    return [
      ...figures(measured, { ...order, of: "blockmill", against: [{ ...floor, target: { atMost: 1.7 } }] }),
      ...figures(measured, { ...order, of: "blockmill, to its node", against: [floor] }),
      ...figures(measured, { ...order, of: "graphile-worker", against: [floor] }),
      ...figures(measured, { ...order, of: "pg-boss, with notify", against: [floor] }),
    ];
  },
};

async function listenLatency(bench: Bench, times: number): Promise<number> {
  return withDatabase(bench, { empty: false }, async ({ url }) => {
    const [sender, listener] = [new pg.Client(url), new pg.Client(url)];
    await Promise.all([sender.connect(), listener.connect()]);
    await listener.query("listen blockmill_jobs_public");
    const latencies: number[] = [];
    for (let number = 1; number <= times; number += 1) {
      const told = new Promise<number>((resolve) => {
        listener.once("notification", () => resolve(monotonicMs()));
      });
      const sentAt = monotonicMs();
      const inserted = sender.query(insert, [number]);
      latencies.push((await told) - sentAt);
      await inserted;
      await idle();
    }
    await Promise.all([sender.end(), listener.end()]);
    return quantile(latencies, 0.5);
  });
}

async function workerLatency(bench: Bench, times: number): Promise<number> {
  return withDatabase(bench, { empty: false }, async ({ url }) => {
    const worker = forkProgram<number[]>({
      file: programFile("wake"),
      settings: { databaseUrl: url, times },
    });
    try {
      await worker.ready;
      worker.go();
      return quantile((await worker.result).slice(1), 0.5);
    } finally {
      await worker.kill();
    }
  });
}

async function daemonLatency(bench: Bench, times: number): Promise<number> {
  const node = await bench.chains.light();
  const between = await startBetween(node.url);
  try {
    return await withDatabase(bench, { empty: false }, async ({ url, pool }) => {
      const config = { pipeline: { workers: 1, auto_enqueue: false } };
      const product = { databaseUrl: url, rpcUrls: [between.url], config, profile: bench.profile };
      return withDaemon(product, async () => {
        const latencies: number[] = [];
        for (let number = 1; number <= times; number += 1) {
          const asked = between.askedFor(number);
          const sentAt = monotonicMs();
          const inserted = pool.query(insert, [number]);
          latencies.push((await asked) - sentAt);
          await inserted;
          await waitFor(() => isCompleted(pool, number), { what: `block ${number}`, everyMs: 5 });
          await idle();
        }
        // The first one waits for the worker to be there at all.
        return quantile(latencies.slice(1), 0.5);
      });
    });
  } finally {
    await between.stop();
  }
}

async function isCompleted(pool: pg.Pool, number: number): Promise<boolean> {
  const { rows } = await pool.query("select from blocks where number = $1", [number]);
  return rows.length > 0;
}

/** The peer sends to itself: see bench/peers. */
async function peerLatency(bench: Bench, { file, times }: { file: string; times: number }): Promise<number> {
  return withDatabase(bench, { empty: true }, async ({ url }) => {
    const peer = bench.peers.fork<number[]>(file, { settings: { databaseUrl: url, mode: "wake", times } });
    try {
      await peer.ready;
      peer.go();
      return quantile((await peer.result).slice(1), 0.5);
    } finally {
      await peer.kill();
    }
  });
}

/** Long enough for everybody to be asleep again, and never in step with anything. */
async function idle(): Promise<void> {
  await sleep(30 + Math.random() * 40);
}

/** Stands before a node, and says when a block was asked for. */
async function startBetween(nodeUrl: string) {
  const waiting = new Map<string, (at: number) => void>();
  const server = createServer((incoming, response) => {
    const at = monotonicMs();
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      const asked = /eth_getBlock(?:ByNumber|Receipts)"[^[]*\["(0x[0-9a-f]+)"/.exec(body.toString())?.[1];
      if (asked !== undefined) waiting.get(asked)?.(at);
      const onward = request(nodeUrl, { method: "POST" }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      onward.on("error", () => response.destroy());
      onward.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    askedFor: (number: number): Promise<number> =>
      new Promise((resolve) => waiting.set(`0x${number.toString(16)}`, resolve)),
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function withDatabase(
  bench: Bench,
  options: { empty: boolean },
  use: (database: BenchDatabase) => Promise<number>,
): Promise<number> {
  const database = await bench.server.database(options);
  try {
    return await use(database);
  } finally {
    await database.drop();
  }
}
