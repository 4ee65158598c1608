// A worker's own loop, asleep until an INSERT wakes it: as src/worker/main.ts sets it up, with a pipeline that says when
// the work on a job starts, and has no endpoints. As in the peers, the sender is in the same process.

import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import type { Endpoints } from "../../src/chain/endpoints.js";
import { createProve } from "../../src/chain/prove-block.js";
import { computeUnmarked } from "../../src/child/compute-mark.js";
import type { ChildContext } from "../../src/child/run-child.js";
import { listen } from "../../src/db/listen.js";
import { createPool } from "../../src/db/pool.js";
import { UnstorableBlockError } from "../../src/errors.js";
import { createLogger } from "../../src/logger.js";
import { dependents } from "../../src/pipeline/dependents.js";
import { createEdgeGuard } from "../../src/pipeline/edge-guard.js";
import { FetchSlots } from "../../src/pipeline/fetch-slots.js";
import type { Pipeline } from "../../src/pipeline/pipeline.js";
import { jobsChannel } from "../../src/queue/job.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { createPartitions } from "../../src/store/partitions.js";
import { Patience } from "../../src/worker/patience.js";
import { Wake } from "../../src/worker/wake.js";
import { Work } from "../../src/worker/work.js";
import { runWorker } from "../../src/worker/worker.js";
import { monotonicMs } from "../harness/program.js";
import { poolOptions } from "./pool-options.js";
import { runProgram } from "./run-program.js";

interface Settings {
  databaseUrl: string;
  times: number;
}

/** Milliseconds from the sending of each INSERT to its handler's start. */
runProgram<Settings>(async ({ settings: { databaseUrl, times }, ready }) => {
  const slots = new TellingSlots();
  const draining = new AbortController();
  const options = poolOptions(databaseUrl);
  const pool = createPool({ ...options, min: 2, max: 2, keepsPlans: true });
  // As where an orchestrator has followed a head: until then a worker asks before every claim which chain it is.
  await pool.query(
    "insert into processing_head (chain_id, head_number, head_hash, head_time) values (1, 0, sha256(''), now())",
  );
  const { worker, close } = startWorker(pool, { options, slots, draining: draining.signal });
  const sender = new pg.Client(databaseUrl);
  await sender.connect();
  await ready();
  const latencies: number[] = [];
  for (let number = 1; number <= times; number += 1) {
    const started = slots.nextStart();
    const sentAt = monotonicMs();
    await sender.query("insert into processing_jobs (block_number) values ($1)", [number]);
    latencies.push((await started) - sentAt);
    await sleep(30 + Math.random() * 40);
  }
  draining.abort();
  await worker;
  await close();
  await sender.end();
  await pool.end();
  return latencies;
});

/** The pipeline runs the handler of a job in a slot: tells when. */
class TellingSlots extends FetchSlots {
  #tell = (_at: number): void => {};

  constructor() {
    super(1);
  }

  nextStart(): Promise<number> {
    return new Promise((resolve) => {
      this.#tell = resolve;
    });
  }

  override use<T>(handler: () => Promise<T>): Promise<T> {
    return super.use(() => {
      this.#tell(monotonicMs());
      return handler();
    });
  }
}

function startWorker(
  pool: pg.Pool,
  {
    options,
    slots,
    draining,
  }: {
    options: ReturnType<typeof poolOptions>;
    slots: FetchSlots;
    draining: AbortSignal;
  },
) {
  const log = createLogger({
    component: "bench",
    level: "fatal",
    redact: (text) => text,
    output: process.stderr,
  });
  const wake = new Wake();
  const context = {
    settings: { rank: 0 },
    log,
    redact: (text: string) => text,
    draining,
    stopping: new AbortController().signal,
    lease: { holds: () => true, wait: () => Promise.resolve() },
    report() {},
  } as unknown as ChildContext<"worker">;
  // The block fails at once, for good: the worker settles its job, and sleeps again.
  const endpoints = {
    async tryEach() {
      throw new UnstorableBlockError("the benchmark has no endpoints", {});
    },
    expectChain() {},
  } as unknown as Endpoints;
  const pipeline: Pipeline = {
    pool,
    dependents,
    endpoints,
    takeDirectly: () => null,
    prove: createProve({ level: "off", recoverSenders: false, onRules() {} }),
    encoder: createEncoder(),
    partitions: createPartitions(pool),
    edges: createEdgeGuard({ pool, log }),
    workerId: "bench/w1",
    maxAttempts: 3,
    finalityDepth: 64,
    jobTimeoutMs: 60_000,
    compute: computeUnmarked,
    slots,
    backoff: { baseMs: 1_000, maxMs: 1_000 },
    log,
    redact: context.redact,
  };
  const patience = new Patience(context.stopping);
  const work = new Work({ pipeline, maxBatch: 100, maxDepth: 8, patience, context });
  const hint = (): void => {
    work.hint();
    wake.hint();
  };
  const listener = listen({
    ...options,
    channel: jobsChannel(options.schema),
    onNotification: hint,
    onListening: hint,
    onLost(error) {
      throw error;
    },
  });
  return { worker: runWorker({ work, wake, patience, context }), close: () => listener.close() };
}
