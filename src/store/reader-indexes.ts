/** An index that readers of the chain's tables may want, beyond the primary keys that blockmill needs itself. */
export interface ReaderIndex {
  /** What it is called in the database, and on the command line. */
  name: string;
  table: string;
  columns: readonly string[];
  /** Only rows of this condition, written as PostgreSQL prints it. */
  where?: string;
  /** Built unless others are named. */
  usual: boolean;
  /** For people: what it finds. */
  finds: string;
}

/**
 * All that `blockmill index` knows. Most have a single column, although readers sort by block: equal
 * values then share one entry (https://www.postgresql.org/docs/current/btree.html#BTREE-DEDUPLICATION),
 * which block_number behind them would undo, and within a value rows come in the order of the table anyway.
 */
export const readerIndexes: readonly ReaderIndex[] = [
  usual("blocks", ["hash"], "a block by its hash"),
  usual("blocks", ["timestamp"], "the blocks of a time"),
  usual("transactions", ["hash"], "a transaction by its hash"),
  usual("transactions", ["from_address"], "what an account sent"),
  usual("transactions", ["to_address"], "what was sent to an account or a contract"),
  {
    ...usual("transactions", ["contract_address"], "the transaction that created a contract"),
    where: "(contract_address IS NOT NULL)",
  },
  usual("logs", ["address", "topic0"], "a contract's events, all or of one kind"),
  usual("logs", ["topic0"], "events of one kind, of every contract"),
  usual("token_transfers", ["token_address"], "a token's transfers"),
  usual("token_transfers", ["from_address"], "the tokens that an account sent"),
  usual("token_transfers", ["to_address"], "the tokens that an account got"),
  onRequest("logs", ["topic1"], "events by their first indexed argument"),
  onRequest("logs", ["topic2"], "events by their second indexed argument"),
  onRequest("logs", ["topic3"], "events by their third indexed argument"),
  onRequest("logs", ["transaction_hash"], "a transaction's events, where its block is not known"),
  onRequest(
    "token_transfers",
    ["transaction_hash"],
    "a transaction's transfers, where its block is not known",
  ),
  onRequest("withdrawals", ["address"], "what an account withdrew"),
  onRequest("withdrawals", ["validator_index"], "a validator's withdrawals"),
];

function usual(table: string, columns: readonly string[], finds: string): ReaderIndex {
  return { name: [table, ...columns].join("_"), table, columns, usual: true, finds };
}

function onRequest(table: string, columns: readonly string[], finds: string): ReaderIndex {
  return { ...usual(table, columns, finds), usual: false };
}
