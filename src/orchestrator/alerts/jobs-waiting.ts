import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

// What somebody asked for may be long, as long as it gets shorter; a range is topped up as it is worked off.
export const jobsWaiting: Rule = {
  priority: "err",
  look({ waiting, waitingIsAtLeast, isPaused, isRangeOpen, recent }, limit) {
    const progresses = recent.completed > 0 && (isRangeOpen || waitingIsAtLeast || !recent.isBacklogGrowing);
    if (isPaused || progresses || waiting <= limit) return null;
    const number = `${waitingIsAtLeast ? "at least " : ""}${count(waiting)}`;
    const why = recent.completed > 0 ? "and more come than are stored" : "and none is stored";
    return `${number} jobs wait, ${why}. blockmill status shows what the workers wait for; where they are all busy, raise pipeline.workers or add an endpoint.`;
  },
};
