import { TRANSACTIONS } from "../fields/tables.js";
import { copyTable } from "./copy-table.js";
import { tableColumns } from "./table-columns.js";

/** A transaction with its receipt's fields merged in. */
export const transactionsTable = copyTable(
  TRANSACTIONS.name,
  (block) => block.transactions,
  tableColumns(TRANSACTIONS),
);
