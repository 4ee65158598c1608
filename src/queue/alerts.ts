import type { AlertRuleName } from "../config/alert-rules.js";
import { namedParameters } from "../db/named-parameters.js";
import type { Sql } from "../db/pool.js";

/** What may be raised: by a rule, or by an upgrade. */
export type AlertKind = AlertRuleName | "impossible_blocks";

/** `err`: something does not work. `warning`: it will not for long, or somebody has to see to it. */
export type AlertPriority = "err" | "warning";

/** PostgreSQL takes no longer channel: https://www.postgresql.org/docs/current/sql-notify.html */
const longestChannel = 63;

/** The channel that tells of an alert that was raised or cleared. Its payload is the id in `alerts`. */
export function alertsChannel(schema: string): string {
  return `blockmill_alerts_${schema}`.slice(0, longestChannel);
}

// Its own schema's name: nobody has to be told it.
const tell = `pg_notify(left('blockmill_alerts_' || current_schema(), ${longestChannel}), id::text)`;

const raise = namedParameters<{ kind: string; message: string; priority: string }>(
  `with raised as (
     insert into alerts (kind, message, priority) values (:kind, :message, :priority)
     on conflict (kind) where cleared_at is null
       do update set message = excluded.message, priority = excluded.priority
     returning id, xmax = 0 as "isNew"
   )
   select id, "isNew", case when "isNew" then ${tell} end from raised`,
  "raise_alert",
);

/**
 * Raises an alert; one of its kind that is open keeps its time and gets the new message. Returns whether it was not open.
 */
export async function raiseAlert(
  sql: Sql,
  kind: AlertKind,
  message: string,
  priority: AlertPriority = "err",
): Promise<boolean> {
  const { rows } = await sql.query<{ isNew: boolean }>(raise({ kind, message, priority }));
  return rows[0]?.isNew ?? false;
}

const clear = namedParameters<{ kind: string; about: string }>(
  `with cleared as (
     update alerts set cleared_at = clock_timestamp() where kind = :kind and cleared_at is null and starts_with(message, :about)
     returning id, extract(epoch from clock_timestamp() - raised_at)::float8 as seconds
   )
   select seconds, ${tell} from cleared`,
  "clear_alert",
);

/** Clears the alert of a kind, if its message begins with `about`. Returns for how many seconds it was open; null: none was. */
export async function clearAlert(sql: Sql, kind: AlertKind, about = ""): Promise<number | null> {
  const { rows } = await sql.query<{ seconds: number }>(clear({ kind, about }));
  return rows[0]?.seconds ?? null;
}

export interface OpenAlert {
  kind: string;
  priority: AlertPriority;
  message: string;
  ageSeconds: number;
}

/** What a person should look at, the oldest first: at most one of a kind. */
export async function readOpenAlerts(sql: Sql): Promise<OpenAlert[]> {
  const { rows } = await sql.query<OpenAlert>(
    `select kind, priority, message, extract(epoch from clock_timestamp() - raised_at)::float8 as "ageSeconds"
     from alerts where cleared_at is null order by id`,
  );
  return rows;
}

/** How far back people are told of alerts, unless they ask for more. */
export const historySeconds = 7 * 86_400;

export interface PastAlert extends OpenAlert {
  id: number;
  raisedAt: Date;
  /** Null: it is open. */
  clearedAt: Date | null;
  told: Told;
}

/** Alerts of the last `withinSeconds`, and those that are open; the newest first, at most `limit`. */
export async function readAlertHistory(
  sql: Sql,
  { withinSeconds, limit }: { withinSeconds: number; limit: number },
): Promise<PastAlert[]> {
  const { rows } = await sql.query<PastAlert>(
    `select id, kind, priority, message, raised_at as "raisedAt", cleared_at as "clearedAt", told,
       extract(epoch from clock_timestamp() - raised_at)::float8 as "ageSeconds"
     from alerts
     where cleared_at is null or raised_at > clock_timestamp() - $1 * interval '1 second'
     order by id desc limit $2`,
    [withinSeconds, limit],
  );
  return rows;
}

/** What a sink was told of an alert. */
export interface ToldSink {
  /** The last event that it took. */
  event?: AlertEvent;
  /** How often the next one was tried in vain, and when it is tried again, in seconds since 1970. */
  attempts?: number;
  dueAt?: number;
}

export type AlertEvent = "raised" | "resolved";

/** By the sink's name. */
export type Told = Record<string, ToldSink>;

/** An alert that is open, or of which somebody may not have been told yet. */
export interface UnsettledAlert {
  id: number;
  kind: string;
  priority: AlertPriority;
  message: string;
  /** In seconds since 1970. */
  raisedAt: number;
  clearedAt: number | null;
  told: Told;
}

const mostUnsettled = 200;

/** For a statement that reads more: the unsettled alerts as JSON, the oldest first; of too many, all that are open. */
export const unsettledSql = `
  select coalesce(json_agg(one order by id), '[]') from (
    select id, kind, priority, message, told, extract(epoch from raised_at)::float8 as "raisedAt",
      extract(epoch from cleared_at)::float8 as "clearedAt"
    from alerts where not settled order by cleared_at is null desc, id limit ${mostUnsettled}
  ) as one`;

const note = namedParameters<{ id: number; told: string }>(
  "update alerts set told = told || :told::jsonb where id = :id",
  "note_alert_told",
);

/** Notes what a sink was told. */
export async function noteTold(sql: Sql, id: number, sink: string, told: ToldSink): Promise<void> {
  await sql.query(note({ id, told: JSON.stringify({ [sink]: told }) }));
}

/** Settles alerts that are over: nobody is left who is to be told of them. */
export async function settleAlerts(sql: Sql, ids: readonly number[]): Promise<void> {
  await sql.query(
    "update alerts set settled = true where id = any ($1::bigint[]) and cleared_at is not null",
    [ids],
  );
}

const kept = 1_000;

/** Deletes all but the newest alerts that are over. */
export async function trimAlerts(sql: Sql): Promise<void> {
  await sql.query(
    `delete from alerts where cleared_at is not null
       and id <= (select id from alerts where cleared_at is not null order by id desc offset $1 limit 1)`,
    [kept],
  );
}
