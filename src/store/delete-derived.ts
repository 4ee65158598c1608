import type { Tx } from "../db/pool.js";
import { asDerivedRowsError } from "./derived-rows-error.js";
import type { DerivedSpan } from "./derived-table.js";

/** Removes rows of derived tables, while their blocks stay. Throws a DerivedRowsError that names the table. */
export async function deleteDerived(tx: Tx, spans: readonly DerivedSpan[]): Promise<void> {
  for (const { table, numbers, only } of spans) {
    const more = only === undefined ? "" : ` and ${only.column} = ${only.value}`;
    await tx
      .query(`delete from "${table}" where block_number = any ($1::bigint[])${more}`, [numbers])
      .catch((error: Error) => {
        throw asDerivedRowsError(table, error);
      });
  }
}
