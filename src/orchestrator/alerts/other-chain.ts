import type { Rule } from "./rule.js";

/** Raised and cleared where endpoints are looked at (src/orchestrator/watch-chains.ts). */
export const otherChain: Rule = { priority: "err" };
