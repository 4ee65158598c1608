/** Numbers of blocks, in order, each once. */
export type BlockNumbers = readonly number[];

/**
 * The SQL condition that a row is of one of these blocks; without parameters, which COPY does not take.
 * Neighbours become a range, which an index gives in order.
 */
export function blockCondition(column: string, numbers: BlockNumbers): string {
  const [first, last] = [numbers[0], numbers.at(-1)];
  if (first === undefined || last === undefined) return "false";
  if (last - first + 1 === numbers.length) return `${column} between ${BigInt(first)} and ${BigInt(last)}`;
  return `${column} = any ('{${numbers.map(BigInt).join(",")}}'::bigint[])`;
}
