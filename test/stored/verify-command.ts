// `blockmill verify` as people run it.

import { BLOCK_TABLES } from "../../src/store/chain-tables.js";
import { blockmill } from "../cli/blockmill.js";

export function verify(databaseUrl: string, ...args: string[]) {
  return blockmill(["verify", ...args], { BLOCKMILL_DATABASE_URL: databaseUrl });
}

export interface Line {
  block?: number;
  field?: string;
  table?: string;
  expected?: string;
  actual?: string;
  summary?: Record<string, unknown>;
}

/** What --json printed. */
export function linesOf(stdout: string): Line[] {
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** Removes every row of these blocks. */
export async function removeBlocks(
  pool: { query(sql: string): Promise<unknown> },
  from: number,
  to = from,
): Promise<void> {
  for (const { name, blockColumn } of Object.values(BLOCK_TABLES))
    await pool.query(`delete from ${name} where ${blockColumn} between ${from} and ${to}`);
}
