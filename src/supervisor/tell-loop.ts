import type { RuleSetting } from "../config/alert-rules.js";
import type { Sql } from "../db/pool.js";
import type { Logger } from "../logger.js";
import { clearAlert, raiseAlert } from "../queue/alerts.js";
import { loopOfHost } from "./starts.js";

/**
 * Tells a loop of restarts in an alert, as soon as the database is there, and clears it, or what an earlier life of this
 * host raised, once this life has lasted for the rule's clear_seconds. That it began is in the log already. `look` is
 * called often, with a session that is free, and never throws.
 */
export function createLoopAlert(
  loop: string | undefined,
  { isOff, clearMs }: Pick<RuleSetting, "isOff" | "clearMs">,
  log: Logger,
  began = performance.now(),
): { look(sql: Sql): Promise<void> } {
  let next: "raise" | "clear" | "nothing" = loop === undefined || isOff ? "clear" : "raise";
  return {
    async look(sql) {
      const isOver = performance.now() - began > clearMs;
      if (next === "nothing" || (next === "clear" && !isOver)) return;
      try {
        if (next === "raise" && loop !== undefined) await raiseAlert(sql, "crash_loop", loop);
        else if ((await clearAlert(sql, "crash_loop", loopOfHost())) !== null)
          log.info({ alert: "crash_loop", resolved: true }, "crash_loop: it is over");
        next = next === "raise" ? "clear" : "nothing";
      } catch {
        // It is tried again at the next look; what is wrong with the database shows elsewhere.
      }
    },
  };
}
