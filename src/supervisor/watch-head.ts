import type pg from "pg";
import { readPause } from "../queue/pause.js";
import { type BoundedCount, countFailed } from "../queue/read-depth.js";
import { readHeadStatus } from "../queue/read-head-status.js";
import { readNewestBlock } from "../store/newest-block.js";
import type { Snapshot } from "./snapshot.js";

/** How often it is read: four looks into indexes and at single rows. */
const everyMs = 2_000;

type Seen = Pick<Snapshot, "head" | "paused" | "failed">;

/**
 * Keeps what the schema says of the work for people to read: the head, which ages from then on, the pause, the failed
 * jobs. `look` is called often, with a session that is free, and never throws.
 */
export function watchHead(): { seen(): Seen; look(session: pg.Client): Promise<void> } {
  let last: Seen = { head: undefined, paused: undefined, failed: undefined };
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
        last = await readSeen(session);
      } catch {
        // What is wrong with the database shows elsewhere.
        last = { head: undefined, paused: undefined, failed: undefined };
      }
    },
  };
}

async function readSeen(session: pg.Client): Promise<Seen> {
  const followed = await readHeadStatus(session);
  const newest = followed === null ? null : await readNewestBlock(session);
  const pause = await readPause(session);
  const failed: BoundedCount = await countFailed(session);
  return {
    head:
      followed === null
        ? undefined
        : { chain: followed.headNumber, stored: newest?.number, ageMs: followed.headAgeSeconds * 1_000 },
    paused: pause === null ? undefined : (pause.reason ?? ""),
    failed,
  };
}
