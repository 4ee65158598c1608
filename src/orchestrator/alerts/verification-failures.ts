import { plural } from "../../wording.js";
import type { Rule } from "./rule.js";
import { span } from "./wording.js";

export const verificationFailures: Rule = {
  priority: "err",
  look({ recent: { failures, windowSeconds } }, limit) {
    const { unproven = 0 } = failures;
    if (unproven <= limit) return null;
    return `${plural(unproven, "attempt")} of the last ${span(windowSeconds)} failed since what the nodes sent is not proven: no endpoint served those blocks rightly. Nothing of it is stored. blockmill errors names the endpoint; put another one into rpc.urls, then: blockmill retry --all.`;
  },
};
