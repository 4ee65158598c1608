import type { Rule } from "./rule.js";

export const notificationQueue: Rule = {
  priority: "err",
  look({ server }, limit) {
    if (server === undefined) return undefined;
    if (server.notificationQueue <= limit) return null;
    return `PostgreSQL's queue of notifications is ${Math.round(server.notificationQueue)} % full: a session listens and stays in a transaction. When it is full nobody can insert jobs. Find the session, and end it: SELECT pid, application_name, xact_start FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' ORDER BY xact_start LIMIT 5`;
  },
};
