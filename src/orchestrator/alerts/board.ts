import type { AlertRuleName, RuleSetting } from "../../config/alert-rules.js";
import type { Sql } from "../../db/pool.js";
import type { Logger } from "../../logger.js";
import { clearAlert, raiseAlert } from "../../queue/alerts.js";
import { rules } from "./rules.js";

/** Where alerts are raised and cleared: one row in `alerts`, one line in the log as it begins, one as it ends. */
export interface Board {
  /** `facts` go to the log. One that is open already gets the new message, and is logged no more; one that is off is nothing. */
  raise(name: AlertRuleName, message: string, facts?: Record<string, unknown>): Promise<void>;
  /** Does nothing where none is open. */
  clear(name: AlertRuleName): Promise<void>;
}

/** Which alerts are off. */
export type BoardSettings = Readonly<Record<AlertRuleName, Pick<RuleSetting, "isOff">>>;

export function createBoard({
  pool,
  log,
  settings,
}: {
  pool: Sql;
  log: Logger;
  settings: BoardSettings;
}): Board {
  return {
    async raise(name, message, facts = {}) {
      if (settings[name].isOff) return;
      const { priority } = rules[name];
      if (!(await raiseAlert(pool, name, message, priority))) return;
      log[priority === "err" ? "error" : "warn"]({ alert: name, ...facts }, message);
    },
    async clear(name) {
      const seconds = await clearAlert(pool, name);
      if (seconds === null) return;
      log.info({ alert: name, resolved: true, seconds: Math.round(seconds) }, `${name}: it is over`);
    },
  };
}
