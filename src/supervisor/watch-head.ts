import type pg from "pg";
import { readHead } from "../queue/head.js";
import { readNewestBlock } from "../store/newest-block.js";
import type { Snapshot } from "./snapshot.js";

/** How often the head is read: two looks into indexes. */
const everyMs = 2_000;

/** Keeps the head for people to read. `look` is called often, with a session that is free, and never throws. */
export function watchHead(): { readonly head: Snapshot["head"]; look(session: pg.Client): Promise<void> } {
  let head: Snapshot["head"];
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    get head() {
      return head;
    },
    async look(session) {
      if (performance.now() - lookedAt < everyMs) return;
      lookedAt = performance.now();
      try {
        const followed = await readHead(session);
        const newest = followed === null ? null : await readNewestBlock(session);
        head = followed === null ? undefined : { chain: followed.headNumber, stored: newest?.number };
      } catch {
        // What is wrong with the database shows elsewhere.
        head = undefined;
      }
    },
  };
}
