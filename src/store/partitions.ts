import type { Sql } from "../db/pool.js";

/** The partitions that blocks are written to, where the chain's tables are partitioned. */
export interface Partitions {
  /**
   * Makes what is missing of the partitions of these blocks. To be called before the transaction that
   * writes them, not in it: others wait for a partition that is being made until its transaction ends.
   */
  prepare(numbers: readonly number[]): Promise<void>;
  /** Forgets what is there: somebody else took a partition away. */
  forget(): void;
}

/** Keeps in mind which partitions are there, so that asking for them again costs nothing. */
export function createPartitions(sql: Sql): Partitions {
  let partitionBlocks: number | null = null;
  const there = new Set<number>();
  return {
    async prepare(numbers) {
      partitionBlocks ??= await readPartitionBlocks(sql);
      if (partitionBlocks === 0) return;
      for (const number of numbers) {
        const first = number - (number % partitionBlocks);
        if (there.has(first)) continue;
        await sql.query("select create_chain_partition($1)", [first]);
        there.add(first);
      }
    },
    forget() {
      partitionBlocks = null;
      there.clear();
    },
  };
}

/** Blocks in one partition of the chain's tables; 0: they are not partitioned. */
async function readPartitionBlocks(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ partition_blocks: number | string }>(
    "select partition_blocks from chain_layout",
  );
  return Number(rows[0]?.partition_blocks ?? 0);
}
