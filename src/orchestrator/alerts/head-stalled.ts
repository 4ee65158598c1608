import { count } from "../../wording.js";
import type { Rule } from "./rule.js";
import { span } from "./wording.js";

export const headStalled: Rule = {
  priority: "err",
  look({ follows, head, blockSeconds }, limit) {
    if (!follows || head === null || blockSeconds === null) return null;
    const { number, seenAgeSeconds } = head;
    if (seenAgeSeconds <= limit * blockSeconds) return null;
    return `The head has been ${count(number)} for ${span(seenAgeSeconds)}; the chain has a block every ${blockSeconds < 10 ? blockSeconds.toFixed(1) : Math.round(blockSeconds)} s. The nodes do not sync, or the chain has stopped: ask another node, and add it to rpc.urls.`;
  },
};
