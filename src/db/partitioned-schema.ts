// schema.sql says each column once. How it is laid out in partitions is derived from that text.

/** The tables that are partitioned, each with the column that says which block a row is of. */
export const partitionedBy: Readonly<Record<string, string>> = {
  blocks: "number",
  transactions: "block_number",
  logs: "block_number",
  withdrawals: "block_number",
  token_transfers: "block_number",
};

/**
 * schema.sql with the chain's tables partitioned, so many blocks in each partition. Throws an Error when
 * the text is not the one that this was written for.
 */
export function partitionSchema(text: string, partitionBlocks: number): string {
  let partitioned = text;
  for (const [table, column] of Object.entries(partitionedBy)) {
    partitioned = replaceOnce(
      partitioned,
      new RegExp(`^(create table if not exists ${table} \\(\\n(?: .*\\n)+\\));$`, "m"),
      `$1 partition by range (${column});`,
    );
  }
  return replaceOnce(
    partitioned,
    /^(insert into chain_layout \(partition_blocks\) values )\(0\)/m,
    `$1(${BigInt(partitionBlocks)})`,
  );
}

function replaceOnce(text: string, pattern: RegExp, by: string): string {
  const found = text.match(new RegExp(pattern, `${pattern.flags}g`))?.length ?? 0;
  if (found !== 1) throw new Error(`schema.sql has ${found} times what is expected once: ${pattern.source}`);
  return text.replace(pattern, by);
}
