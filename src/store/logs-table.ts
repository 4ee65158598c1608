import { LOGS } from "../fields/tables.js";
import { copyTable } from "./copy-table.js";
import { tableColumns } from "./table-columns.js";

export const logsTable = copyTable(LOGS.name, (block) => block.logs, tableColumns(LOGS));
