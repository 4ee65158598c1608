import type pg from "pg";
import type { Endpoints } from "../../chain/endpoints.js";
import type { Config } from "../../config/schema.js";
import type { ConnectionOptions } from "../../db/connection.js";
import type { Logger } from "../../logger.js";
import type { Redact } from "../../redact.js";
import { type DutiesOptions, type Duty, runDuties } from "../run-duties.js";
import { createDelivery } from "./deliver.js";
import { createHeartbeat } from "./heartbeat.js";
import { findSinks } from "./sinks.js";
import { createAlertWatch } from "./watch-alerts.js";
import { createDiskWatch } from "./watch-disk.js";

export interface AlertsOptions {
  pool: pg.Pool;
  config: Config;
  endpoints: Endpoints;
  /** For a look at who has locked our tables; undefined: there is no room for one more connection. */
  connection?: ConnectionOptions | undefined;
  log: Logger;
  redact: Redact;
  signal: AbortSignal;
  onError: DutiesOptions["onError"];
}

/** A heartbeat says that the rules were judged within this. */
const wellMs = 30_000;

/**
 * What a leader does for people until `signal` aborts: judges the rules, tells sinks, measures the disk, sends the
 * heartbeat. Beside the other duties, which may be what waits; and each beside the others.
 */
export function runAlerts(options: AlertsOptions): { done: Promise<void> } {
  const { pool, config, endpoints, connection, log, redact, signal, onError } = options;
  let judgedAt = Number.NEGATIVE_INFINITY;
  const delivery = createDelivery({
    pool,
    schema: config.database.schema,
    log,
    redact,
    findSinks: () => findSinks(config.alerts),
    signal,
  });
  const disk = createDiskWatch({ pool, diskGb: config.alerts.disk_gb });
  const watch = createAlertWatch({
    pool,
    config,
    log,
    connection,
    endpoints: () => endpoints.status(),
    disk: disk.seen,
    onLook(unsettled, chainId) {
      judgedAt = performance.now();
      delivery.look(unsettled, chainId);
    },
  });
  const { heartbeat: url } = config.alerts;
  const isWell = (): boolean => performance.now() - judgedAt < wellMs;
  const beside: Duty[] = [disk.duty, ...(url === "" ? [] : [createHeartbeat({ url, isWell, log, redact })])];
  const running = [watch, ...beside].map((duty) => runDuties({ duties: [duty], signal, onError }).done);
  return { done: Promise.all(running).then(() => delivery.idle()) };
}
