import type pg from "pg";
import { waitFor } from "../../test/support/process.js";

/** Empties the tables, and has a running daemon store every block from 1 on; returns how many it did before `over`. */
export async function storeAll(
  pool: pg.Pool,
  { blocks, over = () => false }: { blocks: number; over?(): boolean },
): Promise<number> {
  await pool.query("truncate processing_jobs, blocks, transactions, logs, withdrawals, token_transfers");
  await pool.query("update processing_coverage set blocks = '{}'");
  await pool.query("insert into processing_jobs (block_number) select generate_series(1, $1::int)", [blocks]);
  let stored = 0;
  const done = async (): Promise<boolean> => {
    const { rows } = await pool.query<{ count: string }>("select count(*) from blocks");
    stored = Number(rows[0]?.count);
    return stored === blocks || over();
  };
  await waitFor(done, { what: "the blocks to be stored", timeoutMs: 600_000, everyMs: 200 });
  return stored;
}
