import { WITHDRAWALS } from "../fields/tables.js";
import { copyTable } from "./copy-table.js";
import { tableColumns } from "./table-columns.js";

export const withdrawalsTable = copyTable(
  WITHDRAWALS.name,
  (block) => block.withdrawals,
  tableColumns(WITHDRAWALS),
);
