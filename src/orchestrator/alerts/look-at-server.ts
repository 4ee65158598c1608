import { describeOldTransaction, findOldTransaction } from "../../db/old-transaction.js";
import type { Sql } from "../../db/pool.js";
import type { ServerSeen } from "./seen.js";

const statement = `
  select
    pg_notification_queue_usage() * 100 as "notificationQueue",
    (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as taken,
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as most,
    (select max(version) from schema_version) as "schemaVersion",
    (select row_to_json(one) from (
       select depth, fork_block as "forkBlock" from reorgs
       where detected_at > clock_timestamp() - $1 * interval '1 second' order by depth desc limit 1
     ) as one) as "deepestReorg",
    (select extract(epoch from clock_timestamp() - done_at)::float8 / 86400 from processing_upkeep where what = 'backup') as "backupDays",
    (select extract(epoch from clock_timestamp() - done_at)::float8 / 86400 from processing_upkeep where what = 'verification') as "verificationDays"`;

type Row = Omit<ServerSeen, "oldTransaction" | "connections"> & { taken: number; most: number };

/**
 * What PostgreSQL and the schema say of themselves. `oldMs`: from when on a transaction is old; 0: none is. Reorgs count
 * for `windowSeconds`.
 */
export async function lookAtServer(
  sql: Sql,
  { oldMs, windowSeconds }: { oldMs: number; windowSeconds: number },
): Promise<ServerSeen> {
  const { rows } = await sql.query<Row>({ name: "look_at_server", text: statement, values: [windowSeconds] });
  const [row] = rows;
  if (row === undefined) throw new Error("a select without from returned no row");
  const { taken, most, ...rest } = row;
  const old = oldMs === 0 ? null : await findOldTransaction(sql, oldMs);
  return {
    ...rest,
    connections: { taken, most },
    oldTransaction: old === null ? null : describeOldTransaction(old),
  };
}
