import type { Sql } from "../db/pool.js";

export interface HeadStatus {
  chainId: number;
  headNumber: number;
  /** Seconds since the head's own timestamp, and since an endpoint told of it. */
  headAgeSeconds: number;
  seenAgeSeconds: number;
}

/** Null before an orchestrator saw a head. */
export async function readHeadStatus(sql: Sql): Promise<HeadStatus | null> {
  const { rows } = await sql.query<HeadStatus>(
    `select chain_id as "chainId", head_number as "headNumber",
       extract(epoch from clock_timestamp() - head_time)::float8 as "headAgeSeconds",
       extract(epoch from clock_timestamp() - seen_at)::float8 as "seenAgeSeconds"
     from processing_head`,
  );
  return rows[0] ?? null;
}
