import type { Rule } from "./rule.js";

/** Raised and cleared by the daemon that it is about (src/supervisor/tell-loop.ts). */
export const crashLoop: Rule = { priority: "err" };
