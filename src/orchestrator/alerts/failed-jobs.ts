import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

export const failedJobs: Rule = {
  priority: "warning",
  look({ failed, failedIsAtLeast }, limit) {
    if (failed <= limit) return null;
    const number = `${failedIsAtLeast ? "at least " : ""}${count(failed)} ${failed === 1 ? "job" : "jobs"}`;
    return `${number} failed for good: nobody tries ${failed === 1 ? "it" : "them"} again by itself. blockmill errors says why; once the cause is gone: blockmill retry --all.`;
  },
};
