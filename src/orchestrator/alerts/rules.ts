import type { AlertRuleName } from "../../config/alert-rules.js";
import { backupOld } from "./backup-old.js";
import { connections } from "./connections.js";
import { crashLoop } from "./crash-loop.js";
import { diskForecast } from "./disk-forecast.js";
import { endpointLies } from "./endpoint-lies.js";
import { endpointsDown } from "./endpoints-down.js";
import { errorRate } from "./error-rate.js";
import { failedJobs } from "./failed-jobs.js";
import { falseHead } from "./false-head.js";
import { headFailures } from "./head-failures.js";
import { headStalled } from "./head-stalled.js";
import { jobsWaiting } from "./jobs-waiting.js";
import { lag } from "./lag.js";
import { lockWait } from "./lock-wait.js";
import { noProgress } from "./no-progress.js";
import { noWorkers } from "./no-workers.js";
import { notificationQueue } from "./notification-queue.js";
import { oldTransaction } from "./old-transaction.js";
import { otherChain } from "./other-chain.js";
import { reorgDeep } from "./reorg-deep.js";
import { reorgTooDeep } from "./reorg-too-deep.js";
import type { Rule } from "./rule.js";
import { schemaVersion } from "./schema-version.js";
import { slowBlock } from "./slow-block.js";
import { verificationFailures } from "./verification-failures.js";
import { verificationOld } from "./verification-old.js";
import { workerDeaths } from "./worker-deaths.js";

/** Every rule, one file each. When each fires is in src/config/alert-rules.ts. */
export const rules: Readonly<Record<AlertRuleName, Rule>> = {
  jobs_waiting: jobsWaiting,
  error_rate: errorRate,
  failed_jobs: failedJobs,
  no_workers: noWorkers,
  slow_block: slowBlock,
  no_progress: noProgress,
  lag,
  head_stalled: headStalled,
  endpoints_down: endpointsDown,
  endpoint_lies: endpointLies,
  verification_failures: verificationFailures,
  head_failures: headFailures,
  reorg_deep: reorgDeep,
  reorg_too_deep: reorgTooDeep,
  false_head: falseHead,
  other_chain: otherChain,
  crash_loop: crashLoop,
  lock_wait: lockWait,
  old_transaction: oldTransaction,
  notification_queue: notificationQueue,
  worker_deaths: workerDeaths,
  connections,
  disk_forecast: diskForecast,
  backup_old: backupOld,
  verification_old: verificationOld,
  schema_version: schemaVersion,
};
