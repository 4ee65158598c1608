import type { Rule } from "./rule.js";
import { span } from "./wording.js";

export const noProgress: Rule = {
  priority: "err",
  look({ isPaused, waiting, waitingSeconds, oldestClaim, sinceCompletionSeconds }, limit) {
    const waits = Math.max(waiting > 0 ? (waitingSeconds ?? 0) : 0, oldestClaim?.seconds ?? 0);
    const seconds = Math.min(waits, sinceCompletionSeconds);
    if (isPaused || seconds <= limit) return null;
    return `Jobs wait, and no block was stored for ${span(seconds)}. blockmill status shows what the workers wait for: an endpoint, the database, a lock.`;
  },
};
