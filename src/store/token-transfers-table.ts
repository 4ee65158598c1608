import { TOKEN_TRANSFERS } from "../fields/tables.js";
import { copyTable } from "./copy-table.js";
import { tableColumns } from "./table-columns.js";

export const tokenTransfersTable = copyTable(
  TOKEN_TRANSFERS.name,
  (block) => block.tokenTransfers,
  tableColumns(TOKEN_TRANSFERS),
);
