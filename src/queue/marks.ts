import type { Sql } from "../db/pool.js";

/** What the charts of the page are marked with. */
export interface Mark {
  /** In seconds since 1970. */
  at: number;
  kind: "death" | "reload" | "reorg" | "alert";
  says: string;
}

/** Notes what happened to a daemon. */
export async function noteMark(sql: Sql, kind: "death" | "reload", says: string): Promise<void> {
  await sql.query("insert into processing_marks (at, kind, says) values (clock_timestamp(), $1, $2)", [
    kind,
    says,
  ]);
}

const most = 200;

const statement = `
  select at, kind, says from (
    (select extract(epoch from at)::float8 as at, kind, says from processing_marks
     where at > clock_timestamp() - $1 * interval '1 second' order by id desc limit ${most})
    union all
    (select extract(epoch from detected_at)::float8, 'reorg', format('a reorg of %s blocks above %s', depth, fork_block) from reorgs
     where detected_at > clock_timestamp() - $1 * interval '1 second' order by detected_at desc limit ${most})
    union all
    (select extract(epoch from raised_at)::float8, 'alert', kind from alerts
     where raised_at > clock_timestamp() - $1 * interval '1 second' order by id desc limit ${most})
  ) as one
  order by at`;

/** What happened within the last so many seconds, the oldest first: the newest of each kind. */
export async function readMarks(sql: Sql, withinSeconds: number): Promise<Mark[]> {
  const { rows } = await sql.query<Mark>(statement, [withinSeconds]);
  return rows;
}
