// An orchestrator process: forked by the supervisor, which starts it with a message.

import { endpointGauges, endpointsOf } from "../chain/endpoints.js";
import { connectionOptions, pulseChannel, supervisorOf } from "../child/connections.js";
import { runChild } from "../child/run-child.js";
import { listen } from "../db/listen.js";
import { createPool } from "../db/pool.js";
import { dependents } from "../pipeline/dependents.js";
import { jobsChannel } from "../queue/job.js";
import { runOrchestrator } from "./orchestrator.js";

runChild("orchestrator", async (context) => {
  const { settings, log, counts } = context;
  const { config, workerId } = settings;
  const connection = connectionOptions(config, workerId);
  const pool = createPool({ ...connection, ...settings.pool, counts });
  const endpoints = endpointsOf(config.rpc, log, { share: settings.rpcShare, counts });
  context.gauges(() => endpointGauges(endpoints));
  context.onShare(endpoints.setShare);
  let hint = (): void => {};
  const listener = listen({
    ...connection,
    applicationName: `${connection.applicationName} listen`,
    channel: jobsChannel(config.database.schema),
    pulseChannel: pulseChannel(supervisorOf(workerId)),
    onNotification: () => hint(),
    onListening: () => hint(),
    onLost: (error) => log.warn({ err: error }, "the listening connection is lost; making another"),
  });
  context.onPulse(listener.pulseSent);
  await runOrchestrator({
    pool,
    dependents,
    endpoints,
    config,
    log,
    connection,
    context,
    onHint: (callback) => {
      hint = callback;
    },
  });
  await listener.close();
  await pool.end();
});
