/** Rows by what stands in a column, each group in the order of the rows. */
export function groupBy<Row extends Record<string, unknown>>(
  rows: readonly Row[],
  column: string,
): Map<unknown, Row[]> {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) {
    const group = groups.get(row[column]);
    if (group === undefined) groups.set(row[column], [row]);
    else group.push(row);
  }
  return groups;
}
