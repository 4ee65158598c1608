import type pg from "pg";
import { inTransaction } from "../db/pool.js";
import { createDecoder } from "../decode/decoder.js";
import type { PlannedDecoder } from "../decode/plan-decoders.js";
import { decoderSet } from "../decode/registry.js";
import { decodeStored } from "./fill-event-tables.js";

/** What stored logs have for an event. */
export interface Match {
  /** How many would have a row. */
  logs: number;
  /** Every stored block was looked at. */
  isExact: boolean;
  /** How long it takes to fill its table. */
  seconds: number;
}

/** So many blocks are looked at, evenly among those that are stored. */
const sampleBlocks = 300;
/** Beyond it the count of blocks is PostgreSQL's estimate. */
const countedBlocks = 1_000_000;

/**
 * How many stored logs match each planned event, and how long filling takes: from a sample, decoded as filling does.
 */
export async function sampleMatches(
  pool: pg.Pool,
  planned: readonly PlannedDecoder[],
): Promise<Map<string, Match>> {
  const decoders = planned.map(({ table, definition }, id) => createDecoder({ id, table, definition }));
  if (decoders.length === 0) return new Map();
  return inTransaction(pool, async (tx) => {
    const { rows: counts } = await tx.query<{ stored: number }>(
      `select case when reltuples > $1 then reltuples::float8 else (select count(*)::float8 from blocks) end as stored
       from pg_class where oid = 'blocks'::regclass`,
      [countedBlocks],
    );
    const stored = counts[0]?.stored ?? 0;
    const { rows } = await tx.query<{ number: string | number }>(
      stored <= sampleBlocks
        ? "select number from blocks order by number"
        : `select number from (select min(number) as low, max(number) as high from blocks) as bounds,
             generate_series(1, ${sampleBlocks}) as i,
             lateral (select number from blocks where number >= low + (high - low) * (i - 1) / ${sampleBlocks}
                      order by number limit 1) as found
           group by number order by number`,
    );
    const missing = decoders.map(({ id }) => id);
    const blocks = rows.map(({ number }) => ({ number: Number(number), missing }));
    const began = performance.now();
    const decoded = await decodeStored(tx, decoderSet(decoders), blocks);
    const perBlock = (performance.now() - began) / 1_000 / Math.max(1, blocks.length);
    const share = blocks.length === 0 ? 0 : stored / blocks.length;
    return new Map(
      decoders.map((decoder) => [
        decoder.table,
        {
          logs: Math.round((decoded.rows.get(decoder)?.count ?? 0) * share),
          isExact: blocks.length === stored,
          // To write what was decoded takes about as long again.
          seconds: 2 * perBlock * stored,
        },
      ]),
    );
  });
}
