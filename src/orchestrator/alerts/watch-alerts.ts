import type pg from "pg";
import { ruleSettings } from "../../config/alert-rules.js";
import type { Config } from "../../config/schema.js";
import type { ConnectionOptions } from "../../db/connection.js";
import type { Logger } from "../../logger.js";
import type { UnsettledAlert } from "../../queue/alerts.js";
import { trimAlerts } from "../../queue/alerts.js";
import type { Duty } from "../run-duties.js";
import { type Board, createBoard } from "./board.js";
import { createEvaluation, type Verdict } from "./evaluate.js";
import { lookForAlerts } from "./look.js";
import { lookAtServer } from "./look-at-server.js";
import { withNamedHolder } from "./name-table-holder.js";
import { Recall } from "./recall.js";
import type { DiskSeen, OwnEndpoint, ServerSeen } from "./seen.js";

export interface AlertWatchOptions {
  pool: pg.Pool;
  config: Config;
  log: Logger;
  /** For a look at who has locked our tables; undefined: there is no room for one more connection. */
  connection?: ConnectionOptions | undefined;
  /** This process's own endpoints. */
  endpoints(): OwnEndpoint[];
  /** What the disk was last seen to hold; undefined: nobody has looked yet. */
  disk(): DiskSeen | undefined;
  /** Hears, at each look, of the alerts that are open or of which somebody is still to be told. */
  onLook(unsettled: readonly UnsettledAlert[], chainId: number | null): void;
}

/** How often the rules are judged: one statement. */
const everyMs = 2_000;
/** ... and how often the server is asked for what changes slowly. */
const serverMs = 15_000;

/**
 * Judges every rule, raises and clears alerts. To be run beside the other duties: they may be what waits for a lock.
 * Alerts that an earlier leader raised go on; what must last for some time before one is raised begins anew.
 */
export function createAlertWatch(options: AlertWatchOptions): Duty {
  const { pool, config, log, connection, endpoints, disk, onLook } = options;
  const settings = ruleSettings(config.alerts.rules);
  const evaluate = createEvaluation(settings);
  const board = createBoard({ pool, log, settings });
  const { window_seconds: windowSeconds } = config.alerts;
  const recall = new Recall(windowSeconds);
  const oldMs = config.database.old_transaction_seconds * 1_000;
  let server: ServerSeen | undefined;
  let serverAt = Number.NEGATIVE_INFINITY;

  return {
    name: "watch alerts",
    async run() {
      if (performance.now() - serverAt >= Math.min(serverMs, oldMs || serverMs)) {
        serverAt = performance.now();
        server = await lookAtServer(pool, { oldMs, windowSeconds });
      }
      const { completedSince, failedSince } = recall.since;
      const looking = lookForAlerts(pool, {
        lockMs: settings.lock_wait.threshold * 900,
        completedSince: completedSince ?? Date.now() / 1_000 - windowSeconds,
        failedSince,
        windowSeconds,
      });
      const look = await withNamedHolder(looking, connection && { connection, log, settings });
      const seen = recall.take(look, { endpoints: endpoints(), server, disk: disk() });
      const open = new Map(
        look.alerts.filter(({ clearedAt }) => clearedAt === null).map(({ kind, message }) => [kind, message]),
      );
      const verdicts = evaluate(seen, open, performance.now());
      for (const verdict of verdicts) await carryOut(board, verdict);
      if (verdicts.some(({ kind }) => kind === "clear")) await trimAlerts(pool);
      onLook(look.alerts, look.head?.chainId ?? null);
      return verdicts.length > 0 ? 0 : everyMs;
    },
  };
}

async function carryOut(board: Board, verdict: Verdict): Promise<void> {
  if (verdict.kind === "clear") await board.clear(verdict.name);
  else await board.raise(verdict.name, verdict.message);
}
