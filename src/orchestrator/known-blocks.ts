import type { Hex } from "../block.js";
import type { Sql } from "../db/pool.js";
import { type Doubt, doubtsSql } from "../queue/doubts.js";
import { jobsFromSql } from "../queue/known-hashes.js";
import { storedFromSql } from "../store/stored-hashes.js";

/** What the database knows of the blocks from a number on, at one moment. */
export interface KnownBlocks {
  /** Being fetched by their number: they may be of any branch. */
  claimed: number[];
  /** Their jobs wait for the branch to reach their height. */
  suspended: number[];
  /** Completed as numbers at which the chain has no block. */
  absent: number[];
  /** The hashes that jobs ask for, and those that are stored. */
  wanted: [number: number, hash: Hex][];
  stored: [number: number, hash: Hex][];
  /** Failures to link (doubts.ts), of any block. */
  doubts: Doubt[];
}

// In one statement: the head waits for it, and what moves from one to the other is not missed in between.
const statement = `${jobsFromSql} union all ${storedFromSql} union all ${doubtsSql}`;

interface Row {
  kind: "claimed" | "suspended" | "absent" | "wanted" | "stored" | "doubt";
  number: number;
  hash: Hex;
  id: number;
}

/** Reads them from block `from` on, with the doubts that came after the one numbered `afterDoubt`. */
export async function readKnownBlocks(
  sql: Sql,
  { from, afterDoubt }: { from: number; afterDoubt: number },
): Promise<KnownBlocks> {
  const { rows } = await sql.query<Row>({ name: "known", text: statement, values: [from, afterDoubt] });
  const known: KnownBlocks = { claimed: [], suspended: [], absent: [], wanted: [], stored: [], doubts: [] };
  for (const { kind, number, hash, id } of rows) {
    if (kind === "claimed" || kind === "suspended" || kind === "absent") known[kind].push(number);
    else if (kind === "doubt") known.doubts.push({ id, blockNumber: number });
    else known[kind].push([number, hash]);
  }
  return known;
}
