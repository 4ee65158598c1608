import { describeLockWait } from "../../db/lock-waits.js";
import type { Rule } from "./rule.js";

export const lockWait: Rule = {
  priority: "err",
  look: ({ lockWait: found }, limit) =>
    found === null || found.waitsMs <= limit * 1_000 ? null : describeLockWait(found),
};
