import type pg from "pg";
import { type DatabaseFigures, readDatabaseFigures, readTableBytes } from "../db/database-figures.js";
import { type Progress, readProgress } from "../queue/read-progress.js";
import { readNewestUpTo, type StoredTime } from "../store/read-newest-up-to.js";

/** The schema's figures beside its status: how far it is, and how the database is. */
export interface Figures extends DatabaseFigures, Pick<Progress, "head" | "oldestPendingSeconds"> {
  /** `timestamp`: null until it is stored. */
  finalized: { number: number; timestamp: number | null } | null;
  stored: StoredTime | null;
  /** The newest stored block below which nothing that was asked for is missing. */
  contiguous: StoredTime | null;
  tables: { table: string; bytes: number }[];
}

/** A look at every file of the schema is taken so seldom. */
const tablesMs = 60_000;

/** A function that reads the figures: bounded statements, one after the other. */
export function createReadFigures(pool: pg.Pool, now = () => performance.now()): () => Promise<Figures> {
  let tables: Figures["tables"] = [];
  let tablesAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const { head, finalizedBlock, lowestMissing, oldestPendingSeconds } = await readProgress(pool);
    const stored = await readNewestUpTo(pool, null);
    const contiguous = lowestMissing === null ? stored : await readNewestUpTo(pool, lowestMissing - 1);
    const below = finalizedBlock === null ? null : await readNewestUpTo(pool, finalizedBlock);
    const database = await readDatabaseFigures(pool);
    if (now() - tablesAt >= tablesMs) {
      tables = await readTableBytes(pool);
      tablesAt = now();
    }
    return {
      ...database,
      head,
      oldestPendingSeconds,
      finalized:
        finalizedBlock === null
          ? null
          : { number: finalizedBlock, timestamp: below?.number === finalizedBlock ? below.timestamp : null },
      stored,
      contiguous,
      tables,
    };
  };
}
