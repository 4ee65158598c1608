import type { ClientBase } from "pg";
import type { BlockSpan, Hex } from "../block.js";
import { readChainTables } from "./chain-tables.js";

type Client = Pick<ClientBase, "query">;

/** No block has a number beyond it. */
export const maxNumber = Number.MAX_SAFE_INTEGER - 1;

/** The lowest and the highest number that a row of any table is of; null: there is no row. */
export async function storedBounds(client: Client): Promise<BlockSpan | null> {
  const tables = await readChainTables(client);
  const ends = (end: "min" | "max") =>
    tables.map(
      ({ name, blockColumn: column }) =>
        `(select ${end}(${column}) from "${name}" where ${column} between 0 and ${maxNumber})`,
    );
  const { rows } = await client.query<Record<"first" | "last", string | number | null>>(
    `select least(${ends("min").join(", ")}) as first, greatest(${ends("max").join(", ")}) as last`,
  );
  const { first = null, last = null } = rows[0] ?? {};
  return first === null || last === null ? null : { from: Number(first), to: Number(last) };
}

/** The lowest and the highest stored block: two looks into an index. Null: there is none. */
export async function blockEnds(client: Client): Promise<BlockSpan | null> {
  const { rows } = await client.query<Record<"first" | "last", string | number | null>>(
    "select min(number) as first, max(number) as last from blocks",
  );
  const { first = null, last = null } = rows[0] ?? {};
  return first === null || last === null ? null : { from: Number(first), to: Number(last) };
}

/** A chain id that a stored transaction was signed for; null: none says. */
export async function anyChainId(client: Client): Promise<string | null> {
  const { rows } = await client.query<{ chain_id: string }>(
    "select chain_id from transactions where chain_id is not null limit 1",
  );
  return rows[0]?.chain_id ?? null;
}

// The counts are only trusted to say how much to read at once.
const next = `
  select number from (
    select number,
      row_number() over (order by number) as place,
      sum(1 + greatest(0, transaction_count)::bigint + greatest(0, log_count)::bigint) over (order by number) as rows
    from (
      select number, transaction_count, log_count from blocks
      where number between $1 and $2 order by number limit $3
    ) as following
  ) as counted
  where rows <= $4 or place = 1
  order by number`;

/** The next stored blocks of a span: at most `limit`, and about `maxRows` rows, but one at least if there is one. */
export async function nextStored(
  client: Client,
  { from, to, limit, maxRows }: BlockSpan & { limit: number; maxRows: number },
): Promise<number[]> {
  const { rows } = await client.query<{ number: string | number }>({
    name: "next_stored",
    text: next,
    values: [from, to, limit, maxRows],
  });
  return rows.map(({ number }) => Number(number));
}

/** Each stored block's hash and parent hash, by number. */
export async function readLinks(
  client: Client,
  numbers: readonly number[],
): Promise<Map<number, { hash: Hex; parentHash: Hex }>> {
  const { rows } = await client.query<{ number: string | number; hash: Hex; parent_hash: Hex }>({
    name: "links",
    text: `
      select number, '0x' || encode(hash, 'hex') as hash, '0x' || encode(parent_hash, 'hex') as parent_hash
      from blocks where number = any ($1::bigint[])`,
    values: [numbers],
  });
  return new Map(
    rows.map(({ number, hash, parent_hash: parentHash }) => [Number(number), { hash, parentHash }]),
  );
}
