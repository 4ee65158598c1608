import type { Rule } from "./rule.js";

/** Raised and cleared by who follows the head (follow-head.ts). */
export const reorgTooDeep: Rule = { priority: "err" };
