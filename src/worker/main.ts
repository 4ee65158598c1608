// A worker process: forked by the supervisor, which starts it with a message.

import { describeEndpoints, type Endpoints, endpointGauges, endpointsOf } from "../chain/endpoints.js";
import { createProve, warnOfDerivations, warnOfExceptions } from "../chain/prove-block.js";
import type { VerifyLevel } from "../chain/verify/verify-block.js";
import { computeUnmarked, createCompute } from "../child/compute-mark.js";
import { connectionOptions, pulseChannel, supervisorOf } from "../child/connections.js";
import { runChild } from "../child/run-child.js";
import { listen } from "../db/listen.js";
import { createPool } from "../db/pool.js";
import { createDirectWay } from "../direct/direct-way.js";
import { dependents } from "../pipeline/dependents.js";
import { createEdgeGuard } from "../pipeline/edge-guard.js";
import { createEventTables } from "../pipeline/event-tables.js";
import { FetchSlots } from "../pipeline/fetch-slots.js";
import { jobsChannel } from "../queue/job.js";
import { createEncoder } from "../store/encode-block.js";
import { createPartitions } from "../store/partitions.js";
import { leastDepth } from "./fetch-depth.js";
import { Patience } from "./patience.js";
import { Wake } from "./wake.js";
import { Work } from "./work.js";
import { runWorker } from "./worker.js";

runChild("worker", async (context) => {
  const { settings, log, redact, counts } = context;
  const { config, workerId } = settings;
  const connection = connectionOptions(config, workerId);
  const pool = createPool({ ...connection, ...settings.pool, keepsPlans: true, counts });
  const wake = new Wake();
  const patience = new Patience(context.stopping);
  const endpoints = endpointsOf(config.rpc, log, { share: settings.rpcShare, counts });
  context.gauges(() => endpointGauges(endpoints));
  context.onShare(endpoints.setShare);
  context.onSuspect((place) => {
    const name = endpoints.all[place]?.name;
    if (name !== undefined && endpoints.all.length > 1)
      endpoints.blame(name, "a worker died while it read an answer of it");
  });
  context.gauge(() => ({ throttled: isThrottled(endpoints), endpoints: describeEndpoints(endpoints) }));
  const { pipeline } = config;
  const level = config.chain.verify as VerifyLevel;
  const proving = {
    level,
    recoverSenders: config.chain.recover_senders,
    onRules: warnOfExceptions({ level, log }),
  };
  const encoder = createEncoder();
  const work = new Work({
    pipeline: {
      pool,
      dependents,
      endpoints,
      takeDirectly: createDirectWay({
        ...proving,
        encoder,
        onLeft: (reason) => log.debug({ reason }, "a block does not go the direct way"),
        onUnavailable: (error) =>
          log.warn(
            { err: error },
            "this processor cannot run the direct way (no SIMD): blocks take several times the CPU",
          ),
      }),
      prove: createProve({ ...proving, onDerived: warnOfDerivations(log) }),
      encoder,
      partitions: createPartitions(pool),
      edges: createEdgeGuard({ pool, log }),
      eventTables: config.decode === "" ? undefined : createEventTables({ pool, log }),
      workerId,
      maxAttempts: pipeline.max_attempts,
      finalityDepth: config.chain.finality_depth,
      jobTimeoutMs: pipeline.timeout_minutes * 60_000,
      compute: settings.computeFd === undefined ? computeUnmarked : createCompute(settings.computeFd),
      slots: new FetchSlots(Math.min(leastDepth, pipeline.fetch_concurrency)),
      counts,
      backoff: { baseMs: pipeline.backoff_seconds * 1_000, maxMs: pipeline.backoff_max_seconds * 1_000 },
      only: settings.only,
      log,
      redact,
    },
    maxBatch: pipeline.batch_size,
    maxDepth: pipeline.fetch_concurrency,
    patience,
    context,
  });
  context.gauge(() => ({
    throttled: isThrottled(endpoints),
    endpoints: describeEndpoints(endpoints),
    ...work.inHand(),
  }));
  const hint = (): void => {
    work.hint();
    wake.hint();
  };
  const listener = listen({
    ...connection,
    applicationName: `${connection.applicationName} listen`,
    channel: jobsChannel(config.database.schema),
    pulseChannel: pulseChannel(supervisorOf(workerId)),
    onNotification: hint,
    onListening() {
      hint();
      patience.end();
    },
    onLost: (error) => log.warn({ err: error }, "the listening connection is lost; making another"),
  });
  context.onPulse(listener.pulseSent);
  context.onAnnounced((block) => work.announced(block));
  await runWorker({ work, wake, patience, context });
  await listener.close();
  await endpoints.close();
  await pool.end();
});

/** Whether requests wait because the endpoints take no more: another worker would only wait as well. */
function isThrottled({ all }: Endpoints): boolean {
  return all.every(({ load }) => load.waiting > 0);
}
