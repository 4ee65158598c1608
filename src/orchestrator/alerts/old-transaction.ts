import type { Rule } from "./rule.js";

/** Older than database.old_transaction_seconds: while it is open, vacuum cannot remove the dead rows of the queue. */
export const oldTransaction: Rule = {
  priority: "warning",
  look: ({ server }) => (server === undefined ? undefined : server.oldTransaction),
};
