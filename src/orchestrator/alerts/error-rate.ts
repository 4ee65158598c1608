import { count } from "../../wording.js";
import type { Rule } from "./rule.js";
import { span } from "./wording.js";

/** Of fewer failures a share says nothing: at the head a block comes every twelve seconds. */
const leastFailures = 5;

export const errorRate: Rule = {
  priority: "err",
  look({ recent: { completed, failures, windowSeconds } }, limit) {
    // A host that was lost is no attempt's failure.
    const { lost = 0, ...others } = failures;
    const failed = Object.values(others).reduce((a, b) => a + b, 0);
    const share = failed === 0 ? 0 : (failed / (failed + completed)) * 100;
    if (failed < leastFailures || share <= limit) return null;
    return `${Math.round(share)} % of the attempts of the last ${span(windowSeconds)} failed (${count(failed)} of ${count(failed + completed)}). blockmill errors groups them and says what to do about each.`;
  },
};
