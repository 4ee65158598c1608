import { count } from "../../wording.js";
import type { Rule } from "./rule.js";
import { span } from "./wording.js";

// By the chain's own times, and what has passed since the head was told of: a chain that is replayed lags by nothing.
export const lag: Rule = {
  priority: "err",
  look({ isPaused, follows, head, newest }, limit) {
    if (isPaused || !follows || head === null || newest === null || newest.number >= head.number) return null;
    const seconds = newest.ageSeconds - head.ageSeconds + head.seenAgeSeconds;
    if (seconds <= limit) return null;
    return `The newest stored block, ${count(newest.number)}, is ${span(seconds)} behind the head, ${count(head.number)}. blockmill why ${newest.number + 1} says what the next one waits for.`;
  },
};
