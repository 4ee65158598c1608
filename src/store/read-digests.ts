import type { ClientBase } from "pg";
import type { BlockSpan, Hex } from "../block.js";

export interface DigestedBlock {
  number: number;
  hash: Hex;
  /** The digest of its rows when they were written; null: it has none. */
  digest: Hex | null;
}

// Each span is one scan of the index, however many blocks there are.
const select = `
  select number, '0x' || encode(hash, 'hex') as hash, '0x' || encode(digest, 'hex') as digest
  from unnest($1::bigint[], $2::bigint[]) as span (first, last), blocks
  where number between first and last order by number`;

/** The stored blocks of these spans, which are apart from each other, in order. */
export async function readDigests(
  client: Pick<ClientBase, "query">,
  spans: readonly BlockSpan[],
): Promise<DigestedBlock[]> {
  const { rows } = await client.query<{ number: number | string; hash: Hex; digest: Hex | null }>(select, [
    spans.map(({ from }) => from),
    spans.map(({ to }) => to),
  ]);
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
}
