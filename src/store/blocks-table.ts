import { type Column, coveredColumns } from "./copy-table.js";
import type { CopyWriter } from "./copy-writer.js";
import type { BlockRows } from "./to-rows.js";

const columns: readonly [Column<BlockRows>, ...Column<BlockRows>[]] = [
  ["number", (out, { header }) => out.int8(header.number)],
  ["hash", (out, { header }) => out.bytea(header.hash)],
  ["parent_hash", (out, { header }) => out.bytea(header.parentHash)],
  ["timestamp", (out, { header }) => out.timestamptz(header.timestamp)],
  ["miner", (out, { header }) => out.bytea(header.miner)],
  ["gas_limit", (out, { header }) => out.numeric(header.gasLimit)],
  ["gas_used", (out, { header }) => out.numeric(header.gasUsed)],
  ["base_fee_per_gas", (out, { header }) => out.numeric(header.baseFeePerGas)],
  ["difficulty", (out, { header }) => out.numeric(header.difficulty)],
  ["total_difficulty", (out, { header }) => out.numeric(header.totalDifficulty)],
  ["size", (out, { header }) => out.int8(header.size)],
  ["extra_data", (out, { header }) => out.bytea(header.extraData)],
  ["logs_bloom", (out, { header }) => out.bytea(header.logsBloom)],
  ["state_root", (out, { header }) => out.bytea(header.stateRoot)],
  ["transactions_root", (out, { header }) => out.bytea(header.transactionsRoot)],
  ["receipts_root", (out, { header }) => out.bytea(header.receiptsRoot)],
  ["sha3_uncles", (out, { header }) => out.bytea(header.sha3Uncles)],
  ["uncles", (out, { header }) => out.byteaArray(header.uncles)],
  ["nonce", (out, { header }) => out.bytea(header.nonce)],
  ["mix_hash", (out, { header }) => out.bytea(header.mixHash)],
  ["withdrawals_root", (out, { header }) => out.bytea(header.withdrawalsRoot)],
  ["blob_gas_used", (out, { header }) => out.numeric(header.blobGasUsed)],
  ["excess_blob_gas", (out, { header }) => out.numeric(header.excessBlobGas)],
  ["parent_beacon_block_root", (out, { header }) => out.bytea(header.parentBeaconBlockRoot)],
  ["requests_hash", (out, { header }) => out.bytea(header.requestsHash)],
  ["transaction_count", (out, block) => out.int4(block.transactions.length)],
  ["log_count", (out, block) => out.int4(block.logs.length)],
  ["extra", (out, { header }) => out.jsonb(header.extra)],
  ["verified", (out, block) => out.textArray(block.verified)],
];

const ownColumns: readonly string[] = ["digest_version", "digest"];

/** The table as it is copied into: what the digest can cover, then the digest's version, then the digest. */
export const blocksTable = {
  name: "blocks",
  blockColumn: "number",
  columns: [...columns.map(([name]) => name), ...ownColumns],
  covered: coveredColumns(columns),
};

/** Begins the block's row: all but what tells of the digest. */
export function writeHeader(out: CopyWriter, block: BlockRows): void {
  out.row(blocksTable.columns.length);
  for (const [, write] of columns) write(out, block, block.header);
}
