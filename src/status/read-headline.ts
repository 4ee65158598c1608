import type { Sql } from "../db/pool.js";
import { readOpenAlerts } from "../queue/alerts.js";
import { readPause } from "../queue/pause.js";
import { type BoundedCount, countFailed } from "../queue/read-depth.js";
import { readHeadStatus } from "../queue/read-head-status.js";
import { readNewestBlock } from "../store/newest-block.js";
import { firstSentence } from "./sentence.js";

/** What one line says of a schema. */
export interface Headline {
  /**
   * The newest block that the chain was seen to have, and that the schema holds; undefined: no head was seen. `ageMs`:
   * since its own time.
   */
  head: { chain: number; stored: number | undefined; ageMs: number } | undefined;
  /** Why nobody claims, "" without a reason; undefined: it is not paused. */
  paused: string | undefined;
  /** Jobs that are failed. */
  failed: BoundedCount;
  /** The alert that is open, in one sentence: the first of priority err, or else the first; undefined: none is. */
  alert: string | undefined;
}

/** Reads it: single rows, and one bounded walk of an index, whatever the queue holds. */
export async function readHeadline(sql: Sql): Promise<Headline> {
  const followed = await readHeadStatus(sql);
  const newest = followed === null ? null : await readNewestBlock(sql);
  const pause = await readPause(sql);
  const alerts = await readOpenAlerts(sql);
  const alert = alerts.find(({ priority }) => priority === "err") ?? alerts[0];
  return {
    head:
      followed === null
        ? undefined
        : { chain: followed.headNumber, stored: newest?.number, ageMs: followed.headAgeSeconds * 1_000 },
    paused: pause === null ? undefined : (pause.reason ?? ""),
    failed: await countFailed(sql),
    alert: alert === undefined ? undefined : firstSentence(alert.message),
  };
}
