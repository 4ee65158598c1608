import type pg from "pg";
import type { Config } from "../config/schema.js";
import { applyNext, openFeed, pruneFeed } from "../feed/apply-next.js";
import type { Duty } from "./run-duties.js";

/** Heights that one transaction tells at most. */
const biteHeights = 1_000;
/** Steps that one transaction removes at most. */
const biteSteps = 5_000;
/** Nobody says that a block was committed: one is looked for often soon after a hint or a block, and now and then otherwise. */
const lookMs = { soon: 50, idle: 1_000 };
const soonForMs = 3_000;
/** How often steps are looked for that nobody needs any more. */
const pruneMs = 5_000;

/** Appends to the feed what is stored behind what was told, and removes what every reader has passed. */
export function createTellReaders({ pool, config }: { pool: pg.Pool; config: Config }): Duty {
  const { from, max_lag_blocks: maxLag } = config.feed;
  let isOpen = false;
  let pruneAt = 0;
  let nextLook = 0;
  let soonUntil = 0;
  return {
    name: "tell readers",
    afterHintMs: lookMs.soon,
    async run() {
      if (!isOpen) await openFeed(pool, from);
      isOpen = true;
      const now = performance.now();
      const isHinted = now < nextLook - 1;
      const { heights } = await applyNext(pool, biteHeights);
      if (heights > 0 || isHinted) soonUntil = now + soonForMs;
      if (now >= pruneAt) {
        const pruned = await pruneFeed(pool, { maxLag, limit: biteSteps });
        pruneAt = pruned === biteSteps ? now : now + pruneMs;
      }
      const inMs = heights === biteHeights ? 0 : now < soonUntil ? lookMs.soon : lookMs.idle;
      nextLook = performance.now() + inMs;
      return inMs;
    },
  };
}
