import type pg from "pg";
import type { Config } from "../config/schema.js";
import { tryLock } from "../db/advisory-locks.js";

/**
 * Who stands for election. An orchestrator that follows the head (a daemon's) is eager; one that does
 * not (of `blockmill range` or `single`, or with auto_enqueue off) leads only while no eager one is
 * there, and gives way when one comes: else a range beside a daemon would keep it from following.
 * Every eager one holds the candidates' lock, shared; it is free when there is none.
 */
export function createCandidacy(config: Config): { mayLead(session: pg.Client): Promise<boolean> } {
  const key = `blockmill candidates ${config.database.schema}`;
  const eager = config.pipeline.auto_enqueue;
  const standing = new WeakSet<pg.Client>();
  return {
    async mayLead(session) {
      if (standing.has(session)) return true;
      const { taken: free } = await tryLock(session, key, eager ? "shared" : "transaction");
      if (eager && free) standing.add(session);
      return free;
    },
  };
}
