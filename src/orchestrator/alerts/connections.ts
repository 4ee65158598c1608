import { count } from "../../wording.js";
import type { Rule } from "./rule.js";

export const connections: Rule = {
  priority: "warning",
  look({ server }, limit) {
    if (server === undefined) return undefined;
    const { taken, most } = server.connections;
    if (taken * 100 <= most * limit) return null;
    return `${count(taken)} of PostgreSQL's ${count(most)} connections are taken. Raise max_connections, or lower database.pool_size and database.max_overflow; psql -c 'SELECT application_name, count(*) FROM pg_stat_activity GROUP BY 1 ORDER BY 2 DESC' shows whose they are.`;
  },
};
