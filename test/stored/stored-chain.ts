// A chain with right roots, signatures and every transaction type, in a database, without any process:
// the fixture node's blocks, written as the pipeline writes them.

import type { TestContext } from "node:test";
import type pg from "pg";
import { Chain, MAIN } from "../../bench/fixture-node/chain.js";
import { type ChainWishes, chainOptions } from "../../bench/fixture-node/chain-options.js";
import type { Block } from "../../src/block.js";
import { parseBlock } from "../../src/chain/parse/parse-block.js";
import { rulesFor } from "../../src/chain/verify/chain-rules.js";
import { createVerifier } from "../../src/chain/verify/verify-block.js";
import { createPool, inTransaction } from "../../src/db/pool.js";
import { decodeTokenTransfers } from "../../src/decode/decode-token-transfers.js";
import type { Prover } from "../../src/pipeline/prove-rows.js";
import { type Finding, proveStored } from "../../src/pipeline/prove-stored.js";
import { createEncoder, type EncodedBlock } from "../../src/store/encode-block.js";
import { createPartitions } from "../../src/store/partitions.js";
import { toRows } from "../../src/store/to-rows.js";
import { createDatabase, type TestDatabase } from "../support/database.js";
import { writeBlocks } from "../support/write-blocks.js";

type Json = Record<string, unknown>;

/** A block as the node sends it, to be changed before it is parsed. */
export interface RawBlock {
  block: Json & { transactions: Json[] };
  receipts: Json[];
}

export interface StoredChain {
  database: TestDatabase;
  /** Blockmill's own kind of pool. */
  pool: pg.Pool;
  chainId: number;
  parsed(number: number, branch?: string, change?: (raw: RawBlock) => void): Block;
  /** As if `verified` had been proven of it. */
  encoded(block: Block, verified?: readonly string[]): EncodedBlock;
  /** Writes blocks of the chain, and covers them. */
  store(from: number, to: number): Promise<void>;
  /** Writes whatever is given, and covers it. */
  write(blocks: readonly EncodedBlock[]): Promise<void>;
  /** What the proof finds; everything from 0 on by default. */
  prove(span?: { from: number; to: number }): Promise<Finding[]>;
  close(): Promise<void>;
}

const verified = ["indexes", "gas", "logsBloom", "hash"];

export async function createStoredChain(
  wishes: ChainWishes = {},
  layout: { partitionBlocks?: number } = {},
): Promise<StoredChain> {
  const chain = new Chain(chainOptions(wishes));
  const { chainId } = chain.options;
  const database = await createDatabase(layout);
  const pool = createPool({
    url: database.url,
    schema: "public",
    applicationName: "blockmill-test stored",
    connectTimeoutMs: 10_000,
    statementTimeoutMs: 60_000,
    min: 0,
    max: 4,
  });
  const { encode } = createEncoder();
  const prover: Prover = {
    verifier: createVerifier(),
    rules: rulesFor(chainId),
    level: "roots",
    recoverSenders: true,
  };

  const parsed: StoredChain["parsed"] = (number, branch = MAIN, change = () => {}) => {
    const stored = chain.block(branch, number);
    if (stored === undefined) throw new RangeError(`the chain has no block ${number}`);
    const read = (body: "full" | "receipts") => JSON.parse(stored.read(body).toString());
    const raw: RawBlock = { block: read("full"), receipts: read("receipts") };
    change(raw);
    return parseBlock(raw.block, raw.receipts, { endpoint: "made up", number });
  };
  const partitions = createPartitions(pool);
  const encoded: StoredChain["encoded"] = (block, proven = verified) =>
    encode(toRows(block, decodeTokenTransfers(block), proven));
  const write = async (blocks: readonly EncodedBlock[]) => {
    await partitions.prepare(blocks.map(({ number }) => number));
    await inTransaction(pool, async (tx) => {
      await writeBlocks(tx, blocks);
      await tx.query(
        `update processing_coverage set blocks = blocks
           + (select range_agg(int8range(n, n + 1)) from unnest($1::bigint[]) as n)`,
        [blocks.map(({ number }) => number)],
      );
    });
  };
  await pool.query(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values ($1, 0, 0, sha256(''), now())`,
    [chainId],
  );
  return {
    database,
    pool,
    chainId,
    parsed,
    encoded,
    write,
    async store(from, to) {
      await write(Array.from({ length: to - from + 1 }, (_, i) => encoded(parsed(from + i))));
    },
    async prove(span = { from: 0, to: 1_000_000_000 }) {
      const findings: Finding[] = [];
      for await (const batch of proveStored({ pool, prover, ...span })) findings.push(...batch.findings);
      return findings;
    },
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

/** A chain that is gone when the test ends. */
export async function useStoredChain(
  t: TestContext,
  wishes: ChainWishes = {},
  layout: { partitionBlocks?: number } = {},
): Promise<StoredChain> {
  const chain = await createStoredChain(wishes, layout);
  t.after(() => chain.close());
  return chain;
}

/** The numbers that findings name, each once. */
export function named(findings: readonly Finding[]): number[] {
  return [...new Set(findings.map(({ from }) => from))].sort((a, b) => a - b);
}
