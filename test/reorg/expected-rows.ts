// What the tables must hold, said from what the scripted chain says is canonical: every column of every
// row of every table, by the digest that blocks carry, computed once from the chain and once from the rows.

import assert from "node:assert/strict";
import type pg from "pg";
import type { Hex } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { rulesFor } from "../../src/chain/verify/chain-rules.js";
import { createVerifier } from "../../src/chain/verify/verify-block.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import { createEncoder } from "../../src/store/encode-block.js";
import { storedDigests } from "../../src/store/stored-digests.js";
import { toRows } from "../../src/store/to-rows.js";

/** A block as JSON-RPC gives it. */
export interface RawBlock {
  block: Record<string, unknown>;
  receipts: Record<string, unknown>[];
}

/** Turns what a chain says of its blocks into the digests of their rows. */
export function createDigestOf({ chainId = 1 } = {}): (raw: RawBlock) => Hex {
  const verifier = createVerifier();
  const { encode } = createEncoder();
  const rules = rulesFor(chainId);
  const known = new Map<unknown, Hex>();
  return ({ block: raw, receipts }) => {
    const before = known.get(raw.hash);
    if (before !== undefined) return before;
    const block = parseBlock(raw, receipts, { endpoint: "the model" });
    const verified = verifier.verifyBlock(block, {
      level: "roots",
      rules,
      endpoint: "the model",
      recoverSenders: false,
      onDerived() {},
    });
    const rows = toRows(block, decodeTokenTransfers(block), verified);
    const digest: Hex = `0x${encode(rows).digest.toString("hex")}`;
    known.set(raw.hash, digest);
    return digest;
  };
}

/** Asserts that the tables hold exactly these blocks' rows, by block number. */
export async function assertRows(pool: pg.Pool, expected: ReadonlyMap<number, Hex>): Promise<void> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ number: number }>(everyNumber);
    const stored = await storedDigests(
      client,
      rows.map(({ number }) => number),
    );
    const differing = [...new Set([...expected.keys(), ...stored.keys()])]
      .filter((number) => expected.get(number) !== stored.get(number))
      .sort((a, b) => a - b)
      .map((number) => {
        if (!stored.has(number)) return `${number} is not stored`;
        return expected.has(number) ? `${number} is another block` : `${number} should not be stored`;
      });
    assert.deepEqual(differing, [], "rows that are not the canonical chain's");
  } finally {
    client.release();
  }
}

const everyNumber = `
  select number::int from (
    select number from blocks
    union select block_number from transactions
    union select block_number from logs
    union select block_number from withdrawals
    union select block_number from token_transfers
  ) as every order by number`;

export const brokenLinks = `
  select b.number::int from blocks a join blocks b on b.number = a.number + 1 where b.parent_hash <> a.hash`;

/**
 * Looks again and again, each time in a snapshot of its own, whether neighbours in the table link, and
 * whether every completed job has its block and every block is of the hash that its job wanted. `stop`
 * asserts that they always did.
 */
export function watchLinks(pool: pg.Pool): { stop(): Promise<void> } {
  const seen: string[] = [];
  let looks = 0;
  let stopped = false;
  const look = async (): Promise<void> => {
    while (!stopped) {
      const { rows } = await pool.query<{ number: number }>(brokenLinks);
      for (const { number } of rows) seen.push(`block ${number} does not link to its parent`);
      const without = await pool.query<{ block_number: number; why: string }>(completedWithoutBlock);
      for (const { block_number, why } of without.rows)
        seen.push(`block ${block_number} is completed, but ${why}`);
      looks += 1;
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
  };
  const looking = look();
  return {
    async stop() {
      stopped = true;
      await looking;
      assert.deepEqual([...new Set(seen)], []);
      assert(looks > 0);
    },
  };
}

const completedWithoutBlock = `
  select block_number::int, case when blocks.hash is null then 'not stored' else 'of another hash' end as why
  from processing_jobs left join blocks on blocks.number = block_number
  where status = 'completed' and (blocks.hash is null or blocks.hash <> block_hash)`;
