// Rows of the chain's tables that no stored block has.

import type { ClientBase } from "pg";
import type { BlockSpan } from "../block.js";
import type { ChainTable } from "./chain-table.js";
import { readChainTables } from "./chain-tables.js";
import { maxNumber } from "./stored-numbers.js";

type Client = Pick<ClientBase, "query">;

/** Rows of a table, of neighbouring blocks. */
export interface RowSpan extends BlockSpan {
  table: string;
  rows: number;
}

/** Runs of orphans of one table that are found at once; there may be more. */
const orphansFound = 1_000;

// Neighbouring numbers minus their rank are equal.
const islands = (table: string): string => `
  select '${table}' as table, min(number) as from, max(number) as to, sum(rows)::bigint as rows
  from (
    select number, rows, number - row_number() over (order by number) as island
    from unnest($1::bigint[], $2::bigint[]) as hole (first, last), lateral (
      select block_number as number, count(*) as rows from "${table}"
      where block_number between first and last group by block_number
    ) as counted
  ) as ranked
  group by island order by min(number) limit ${orphansFound}`;

/** The rows in spans where no block is stored. */
export async function findOrphans(client: Client, holes: readonly BlockSpan[]): Promise<RowSpan[]> {
  const found: RowSpan[] = [];
  for (const { name } of await readChildren(client)) {
    const { rows } = await client.query<Record<keyof RowSpan, string | number>>({
      name: `orphans_${name}`,
      text: islands(name),
      values: [holes.map(({ from }) => from), holes.map(({ to }) => to)],
    });
    for (const { from, to, rows: count } of rows)
      found.push({ table: name, from: Number(from), to: Number(to), rows: Number(count) });
  }
  return found;
}

/** The tables beside blocks. */
async function readChildren(client: Client): Promise<ChainTable[]> {
  return (await readChainTables(client)).filter(({ name }) => name !== "blocks");
}

/** How many rows have a number that no block can have, by table; tables without such rows are left out. */
export async function countStrays(client: Client): Promise<{ table: string; rows: number }[]> {
  const found = [];
  for (const { name, blockColumn } of await readChainTables(client)) {
    const { rows } = await client.query<{ rows: string | number }>(
      `select (select count(*) from "${name}" where ${blockColumn} < 0)
            + (select count(*) from "${name}" where ${blockColumn} > ${maxNumber}) as rows`,
    );
    const count = Number(rows[0]?.rows ?? 0);
    if (count > 0) found.push({ table: name, rows: count });
  }
  return found;
}
