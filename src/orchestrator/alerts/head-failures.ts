import { fingerprintOf } from "../../status/fingerprint.js";
import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

/** One that fails alone is the block's own matter. */
const leastInARow = 2;

// A hard fork that this version does not know, or a node that serves new blocks wrongly.
export const headFailures: Rule = {
  priority: "err",
  look({ failingHeads }, limit) {
    const run = longestRun(failingHeads);
    const [newest] = run;
    const lowest = run.at(-1);
    if (run.length < Math.max(leastInARow, Math.ceil(limit)) || newest === undefined || lowest === undefined)
      return null;
    return `The heads from block ${count(lowest.block)} to ${count(newest.block)} failed for the same reason, and nothing behind them is stored: ${newest.error}. If the chain had a hard fork, install a newer blockmill; if not, add another endpoint to rpc.urls. Then: blockmill retry --all.`;
  },
};

/** Of blocks from the highest down, the longest run that follow each other and failed alike. */
function longestRun<T extends { block: number; error: string }>(heads: readonly T[]): T[] {
  let longest: T[] = [];
  let run: T[] = [];
  for (const each of heads) {
    const above = run.at(-1);
    const goesOn =
      above !== undefined && above.block === each.block + 1 && reasonOf(above.error) === reasonOf(each.error);
    run = goesOn ? [...run, each] : [each];
    if (run.length > longest.length) longest = run;
  }
  return longest;
}

/** What failures of different blocks have in common: no hash, no number, no endpoint. */
function reasonOf(error: string): string {
  return fingerprintOf(error.replace(/\bof \S+ is not proven/, "is not proven"));
}
