import assert from "node:assert/strict";
import { test } from "node:test";
import { useStoredChain } from "../stored/stored-chain.js";
import { blockmill } from "./blockmill.js";

test("remove takes the blocks' rows, their completed jobs and that they are stored, and says how many it were", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(1, 10);
  // Block 5 was archived; 6 is to run again; 7 waits; 9 is beyond what is removed.
  await chain.pool.query("truncate processing_jobs");
  await chain.pool.query(
    `insert into processing_jobs (block_number, status, completed_at)
     values (4, 'completed', now()), (6, 'pending', null), (7, 'failed', null), (9, 'completed', now())`,
  );
  await chain.pool.query("update processing_coverage set blocks = '{[1,4),[5,6),[8,9),[10,11)}'");
  const env = { BLOCKMILL_DATABASE_URL: chain.database.url };

  const removed = await blockmill(["remove", "4", "8"], env);
  assert.deepEqual(removed, { code: 0, stdout: "Removed 5 blocks.\n", stderr: "" });
  const read = async (sql: string) =>
    (await chain.pool.query<{ n: number }>(sql)).rows.map(({ n }) => Number(n));
  assert.deepEqual(await read("select number as n from blocks order by 1"), [1, 2, 3, 9, 10]);
  for (const table of ["transactions", "logs", "withdrawals", "token_transfers"])
    assert.deepEqual(
      await read(`select block_number as n from ${table} where block_number between 4 and 8`),
      [],
    );
  const jobs = await chain.pool.query(
    "select block_number::int as n, status from processing_jobs order by 1",
  );
  assert.deepEqual(
    jobs.rows.map(({ n, status }) => [n, status]),
    [
      [6, "pending"],
      [7, "failed"],
      [9, "completed"],
    ],
  );
  const { rows } = await chain.pool.query("select blocks::text as blocks from processing_coverage");
  assert.equal(rows[0].blocks, "{[1,4),[10,11)}");

  const again = await blockmill(["remove", "4", "8"], env);
  assert.deepEqual(again, { code: 0, stdout: "None of these blocks is stored.\n", stderr: "" });
  assert.equal((await blockmill(["remove", "10", "10"], env)).stdout, "Removed 1 block.\n");
});

test("remove refuses blocks the wrong way round, and changes nothing", async (t) => {
  const chain = await useStoredChain(t);
  await chain.store(1, 3);
  const { code, stdout } = await blockmill(["remove", "3", "1"], {
    BLOCKMILL_DATABASE_URL: chain.database.url,
  });
  assert.equal(code, 2);
  assert.equal(stdout, "");
  const { rowCount } = await chain.pool.query("select from blocks");
  assert.equal(rowCount, 3);
});
