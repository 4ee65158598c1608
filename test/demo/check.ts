// Is what is stored what the chain says? Asked of the node by other calls than those that blockmill makes.

import type pg from "pg";
import { createPublicClient, type Hex, http, numberToHex, type PublicClient } from "viem";

/** What both sides can be asked about a block. */
export interface BlockFacts {
  hash: Hex;
  transactions: number;
  logs: number;
}

export interface Difference {
  block: number;
  /** For people: what is wrong with it. */
  problem: string;
}

/** How many blocks are compared at a time, and asked for at a time. */
const chunk = 500;
const lanes = 8;

/** For questions about a chain. Some nodes limit how fast one may ask: each question is asked again. */
export function clientOf(url: string): PublicClient {
  return createPublicClient({ transport: http(url, { retryCount: 5, retryDelay: 300, timeout: 30_000 }) });
}

/**
 * Compares the stored blocks `from` to `to`, inclusive, with the chain: the hash, the number of transaction rows and
 * the number of log rows of each. Returns the blocks that are missing or differ.
 */
export async function checkBlocks(
  pool: pg.Pool,
  client: PublicClient,
  { from, to }: { from: number; to: number },
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (let start = from; start <= to; start += chunk) {
    const end = Math.min(to, start + chunk - 1);
    const stored = await storedBlocks(pool, start, end);
    const numbers = Array.from({ length: end - start + 1 }, (_, i) => start + i).values();
    const lane = async (): Promise<void> => {
      for (const block of numbers) {
        const problem = differenceOf(stored.get(block), await toldBlock(client, block));
        if (problem !== null) differences.push({ block, problem });
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }
  return differences.sort((a, b) => a.block - b.block);
}

/** What is wrong with a stored block, by what the chain tells of it; null: nothing. */
export function differenceOf(stored: BlockFacts | undefined, told: BlockFacts): string | null {
  if (stored === undefined) return "is missing";
  const problems: string[] = [];
  if (stored.hash !== told.hash) problems.push(`has the hash ${stored.hash}, the chain says ${told.hash}`);
  for (const what of ["transactions", "logs"] as const) {
    if (stored[what] !== told[what])
      problems.push(`has ${stored[what]} ${what}, the chain says ${told[what]}`);
  }
  return problems.length === 0 ? null : problems.join("; ");
}

async function storedBlocks(pool: pg.Pool, from: number, to: number): Promise<Map<number, BlockFacts>> {
  const { rows } = await pool.query<BlockFacts & { number: string }>(
    `select number, '0x' || encode(hash, 'hex') as hash,
       (select count(*)::int from transactions where block_number = number) as transactions,
       (select count(*)::int from logs where block_number = number) as logs
     from blocks where number between $1 and $2`,
    [from, to],
  );
  return new Map(rows.map(({ number, ...facts }) => [Number(number), facts]));
}

async function toldBlock(client: PublicClient, number: number): Promise<BlockFacts> {
  const block = await client.request({
    method: "eth_getBlockByNumber",
    params: [numberToHex(number), false],
  });
  if (block === null || block.hash === null) throw new Error(`the chain does not have block ${number}`);
  const logs = await client.request({ method: "eth_getLogs", params: [{ blockHash: block.hash }] });
  return { hash: block.hash, transactions: block.transactions.length, logs: logs.length };
}
