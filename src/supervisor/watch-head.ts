import type pg from "pg";
import { readHeadline } from "../status/read-headline.js";
import type { Snapshot } from "./snapshot.js";

/** How often it is read: five looks into indexes and at single rows. */
const everyMs = 2_000;

type Seen = Pick<Snapshot, "head" | "paused" | "failed" | "alert">;

/**
 * Keeps what the schema says of the work for people to read: the head, which ages from then on, the pause, the failed
 * jobs. `look` is called often, with a session that is free, and never throws.
 */
export function watchHead(): { seen(): Seen; look(session: pg.Client): Promise<void> } {
  let last: Seen = { head: undefined, paused: undefined, failed: undefined, alert: undefined };
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    seen() {
      const { head } = last;
      if (head === undefined) return last;
      return { ...last, head: { ...head, ageMs: head.ageMs + performance.now() - lookedAt } };
    },
    async look(session) {
      if (performance.now() - lookedAt < everyMs) return;
      lookedAt = performance.now();
      try {
        last = await readHeadline(session);
      } catch {
        // What is wrong with the database shows elsewhere.
        last = { head: undefined, paused: undefined, failed: undefined, alert: undefined };
      }
    },
  };
}
