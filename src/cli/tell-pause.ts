import type { Sql } from "../db/pool.js";
import { type Pause, readPause } from "../queue/pause.js";
import { shorten, span } from "../wording.js";

/** Since when, why, and by whom, in one line. */
export function describePause({ forSeconds, reason, by }: Pause): string {
  return `for ${span(forSeconds)}${by === null ? "" : ` by ${shorten(by, 80)}`}${reason === null ? "" : `, "${shorten(reason, 200)}"`}; blockmill resume ends it`;
}

/** Says on standard error, if the schema is paused, that nothing is fetched until it is resumed. */
export async function tellPause(sql: Sql): Promise<void> {
  const pause = await readPause(sql);
  if (pause !== null)
    process.stderr.write(`blockmill: waiting, the schema is paused ${describePause(pause)}\n`);
}
