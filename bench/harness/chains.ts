import { Agent, request } from "node:http";
import { type Fixture, startFixture } from "../../test/support/fixture.js";

/** A chain of full blocks, numbered from 1, and how many rows they make. */
export interface HeavyChain {
  node: Fixture;
  /** The number of the last block, and how many there are. */
  blocks: number;
  /** The rows of the blocks from 1 to `to`. */
  rows(to: number): { blocks: number; transactions: number; logs: number };
}

/** The fixture nodes that the benchmarks read from, each started when it is first asked for. */
export interface Chains {
  /** 150 transactions and 300 logs a block. */
  heavy(): Promise<HeavyChain>;
  /** Blocks of a few transactions, made as they are mined. */
  light(): Promise<Fixture>;
  stop(): Promise<void>;
}

const heavyTransactions = 150;

export function createChains({ quick, say }: { quick: boolean; say(line: string): void }): Chains {
  const blocks = quick ? 200 : 1_000;
  let heavy: Promise<HeavyChain> | undefined;
  let light: Promise<Fixture> | undefined;
  return {
    heavy() {
      heavy ??= startHeavy(blocks, say);
      return heavy;
    },
    light() {
      light ??= startFixture({ head: 5_000, transactions: 5, signatures: "random", recordCalls: false });
      return light;
    },
    async stop() {
      await Promise.all([heavy?.then(({ node }) => node.stop()), light?.then((node) => node.stop())]);
    },
  };
}

async function startHeavy(blocks: number, say: (line: string) => void): Promise<HeavyChain> {
  say(`building ${blocks} blocks of ${heavyTransactions} transactions, unless an earlier run left them`);
  const node = await startFixture({
    // Block 0 is the genesis.
    blocks: blocks + 1,
    transactions: heavyTransactions,
    logsPerTransaction: 2,
    // The signatures are none, which nobody here recovers; the hashes, roots and blooms are right.
    signatures: "random",
    // Everything is final: blocks are fetched by number, as in a backfill.
    finalityDepth: 0,
    recordCalls: false,
  });
  const logs = await countLogs(node.url, blocks);
  return {
    node,
    blocks,
    rows: (to) => ({
      blocks: to,
      transactions: to * heavyTransactions,
      logs: logs.slice(0, to).reduce((sum, count) => sum + count, 0),
    }),
  };
}

/** The logs of each block from 1, which also brings the blocks into the node's memory. */
async function countLogs(url: string, blocks: number): Promise<number[]> {
  const counts: number[] = [];
  const agent = new Agent({ keepAlive: true });
  for (let number = 1; number <= blocks; number += 1) {
    const at = `0x${number.toString(16)}`;
    const receipts = await post(url, { agent, method: "eth_getBlockReceipts", params: [at] });
    await post(url, { agent, method: "eth_getBlockByNumber", params: [at, true] });
    let count = 0;
    for (let i = receipts.indexOf('"logIndex"'); i !== -1; i = receipts.indexOf('"logIndex"', i + 1))
      count += 1;
    counts.push(count);
  }
  agent.destroy();
  return counts;
}

function post(
  url: string,
  { agent, ...call }: { agent: Agent; method: string; params: unknown[] },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: "POST", agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(Buffer.concat(chunks)));
      response.on("error", reject);
    });
    outgoing.on("error", reject);
    outgoing.end(JSON.stringify({ jsonrpc: "2.0", id: 1, ...call }));
  });
}
