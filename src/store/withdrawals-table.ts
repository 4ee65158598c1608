import { copyTable } from "./copy-table.js";

export const withdrawalsTable = copyTable("withdrawals", (block) => block.withdrawals, [
  ["block_number", (out, _, header) => out.int8(header.number)],
  ["index", (out, withdrawal) => out.numeric(withdrawal.index)],
  ["validator_index", (out, withdrawal) => out.numeric(withdrawal.validatorIndex)],
  ["address", (out, withdrawal) => out.bytea(withdrawal.address)],
  ["amount", (out, withdrawal) => out.numeric(withdrawal.amount)],
]);
