import { copyTable } from "./copy-table.js";

export const logsTable = copyTable("logs", (block) => block.logs, [
  ["block_number", (out, _, header) => out.int8(header.number)],
  ["log_index", (out, log) => out.int4(log.logIndex)],
  ["block_hash", (out, _, header) => out.bytea(header.hash)],
  ["transaction_hash", (out, log) => out.bytea(log.transactionHash)],
  ["transaction_index", (out, log) => out.int4(log.transactionIndex)],
  ["address", (out, log) => out.bytea(log.address)],
  ["topic0", (out, log) => out.bytea(log.topics[0] ?? null)],
  ["topic1", (out, log) => out.bytea(log.topics[1] ?? null)],
  ["topic2", (out, log) => out.bytea(log.topics[2] ?? null)],
  ["topic3", (out, log) => out.bytea(log.topics[3] ?? null)],
  ["data", (out, log) => out.bytea(log.data)],
]);
