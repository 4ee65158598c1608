import type { Sql } from "../db/pool.js";
import { nextHeight } from "./apply-next.js";

/** How far the feed and its readers are. */
export interface FeedStatus {
  lastStep: number;
  /** The newest block that was told; null: none yet. */
  newest: number | null;
  /** The block that is told next, once it is stored; null: not known before a block is stored. */
  next: number | null;
  /** The slowest first, at most so many as were asked for. */
  readers: FeedReaderStatus[];
  /** All of them. */
  readerCount: number;
}

export interface FeedReaderStatus {
  name: string;
  /** Steps. */
  behind: number;
  /** The steps behind its position are gone: it has to start again. */
  isGone: boolean;
  pinned: boolean;
  /** Since it last read; null: it never did. */
  readSeconds: number | null;
}

/** A reader, as a statement over chain_readers and chain_feed gives it. */
export const readerColumns = `
  name, (last_id - position)::float8 as behind, position < pruned_through as "isGone", pinned,
  extract(epoch from clock_timestamp() - read_at)::float8 as "readSeconds"`;

const statement = `
  select last_id::float8 as "lastStep", (upper(told) - 1)::float8 as newest, (${nextHeight("chain_feed")})::float8 as next,
    (select count(*)::int from chain_readers) as "readerCount",
    (select coalesce(json_agg(reader), '[]') from (
       select ${readerColumns} from chain_readers order by position limit $1
     ) as reader) as readers
  from chain_feed`;

/** Null: the feed is off. */
export async function readFeed(sql: Sql, most: number): Promise<FeedStatus | null> {
  const { rows } = await sql.query<FeedStatus>(statement, [most]);
  return rows[0] ?? null;
}
