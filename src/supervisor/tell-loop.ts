import type { Sql } from "../db/pool.js";
import { clearAlert, raiseAlert } from "../queue/alerts.js";
import { loopOfHost } from "./starts.js";

/** A life that is longer has broken the loop. */
const brokenAfterMs = 120_000;

/**
 * Tells a loop of restarts in an alert, as soon as the database is there, and clears it, or what an earlier life of this
 * host raised, once this life has lasted. `look` is called often, with a session that is free, and never throws.
 */
export function createLoopAlert(
  loop: string | undefined,
  began = performance.now(),
): { look(sql: Sql): Promise<void> } {
  let next: "raise" | "clear" | "nothing" = loop === undefined ? "clear" : "raise";
  return {
    async look(sql) {
      const isOver = performance.now() - began > brokenAfterMs;
      if (next === "nothing" || (next === "clear" && !isOver)) return;
      try {
        if (next === "raise" && loop !== undefined) await raiseAlert(sql, "crash_loop", loop);
        else await clearAlert(sql, "crash_loop", loopOfHost());
        next = next === "raise" ? "clear" : "nothing";
      } catch {
        // It is tried again at the next look; what is wrong with the database shows elsewhere.
      }
    },
  };
}
