import { count } from "../../wording.js";
import type { Rule } from "./rule.js";
import { span } from "./wording.js";

/** A chain of quick blocks may rest for so long. */
const leastSeconds = 30;

export const headStalled: Rule = {
  priority: "err",
  look({ follows, head, blockSeconds }, limit) {
    if (!follows || head === null || blockSeconds === null) return null;
    const { number, seenAgeSeconds } = head;
    if (seenAgeSeconds <= Math.max(leastSeconds, limit * blockSeconds)) return null;
    return `The head has been ${count(number)} for ${span(seenAgeSeconds)}; the chain has a block every ${blockSeconds < 10 ? blockSeconds.toFixed(1) : Math.round(blockSeconds)} s. The nodes do not sync, or the chain has stopped: ask another node, and add it to rpc.urls.`;
  },
};
