import type { Rule } from "./rule.js";
import { span } from "./wording.js";

export const slowBlock: Rule = {
  priority: "warning",
  look({ oldestClaim }, limit) {
    if (oldestClaim === null || oldestClaim.seconds <= limit) return null;
    const { block, worker, seconds } = oldestClaim;
    return `Block ${block} is in the hands of ${worker} for ${span(seconds)}. blockmill why ${block} says what it waits for; blockmill cancel ${block}, then blockmill retry ${block}, gives it to another worker.`;
  },
};
