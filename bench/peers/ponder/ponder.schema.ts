import { onchainTable, primaryKey } from "ponder";

export const blocks = onchainTable("blocks", (t) => ({
  number: t.bigint().primaryKey(),
  hash: t.hex().notNull(),
  parentHash: t.hex().notNull(),
  timestamp: t.bigint().notNull(),
  miner: t.hex().notNull(),
  gasLimit: t.bigint().notNull(),
  gasUsed: t.bigint().notNull(),
  baseFeePerGas: t.bigint(),
  extraData: t.hex().notNull(),
  logsBloom: t.hex().notNull(),
  stateRoot: t.hex().notNull(),
  transactionsRoot: t.hex().notNull(),
  receiptsRoot: t.hex().notNull(),
}));

export const transactions = onchainTable("transactions", (t) => ({
  hash: t.hex().primaryKey(),
  blockNumber: t.bigint().notNull(),
  transactionIndex: t.integer().notNull(),
  type: t.text().notNull(),
  from: t.hex().notNull(),
  to: t.hex(),
  nonce: t.integer().notNull(),
  value: t.bigint().notNull(),
  gas: t.bigint().notNull(),
  input: t.hex().notNull(),
  r: t.hex(),
  s: t.hex(),
  v: t.bigint(),
  status: t.text(),
  gasUsed: t.bigint(),
  cumulativeGasUsed: t.bigint(),
  effectiveGasPrice: t.bigint(),
  contractAddress: t.hex(),
}));

export const logs = onchainTable(
  "logs",
  (t) => ({
    blockNumber: t.bigint().notNull(),
    logIndex: t.integer().notNull(),
    transactionHash: t.hex().notNull(),
    address: t.hex().notNull(),
    topic0: t.hex(),
    topic1: t.hex(),
    topic2: t.hex(),
    topic3: t.hex(),
    data: t.hex().notNull(),
  }),
  (table) => ({ pk: primaryKey({ columns: [table.blockNumber, table.logIndex] }) }),
);
