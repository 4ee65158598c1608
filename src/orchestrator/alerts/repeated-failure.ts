import { fingerprintOf } from "../../status/fingerprint.js";
import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

export const repeatedFailure: Rule = {
  priority: "err",
  look({ troubled }, limit) {
    const run = longestRun(troubled);
    const [first] = run;
    const last = run.at(-1);
    if (run.length < Math.max(2, Math.ceil(limit)) || first === undefined || last === undefined) return null;
    return `Blocks ${count(last.block)} to ${count(first.block)} fail in the same way, one after the other: ${first.error}. The chain may have had a fork that this version does not know: look for a newer blockmill; if there is none, report it. The jobs are kept.`;
  },
};

/** The highest blocks that follow each other and have one fingerprint. */
function longestRun<T extends { block: number; error: string }>(troubled: readonly T[]): T[] {
  let longest: T[] = [];
  let run: T[] = [];
  for (const each of troubled) {
    const before = run.at(-1);
    const goesOn =
      before !== undefined &&
      before.block === each.block + 1 &&
      fingerprintOf(before.error) === fingerprintOf(each.error);
    run = goesOn ? [...run, each] : [each];
    if (run.length > longest.length) longest = run;
  }
  return longest;
}
