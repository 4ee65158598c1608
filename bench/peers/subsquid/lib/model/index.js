// The entities that squid-typeorm-codegen would write for blocks, transactions and logs, by hand: hex as
// text, 256-bit numbers as numeric, an id of text. Column names are made by Subsquid's naming strategy.

const { EntitySchema } = require("typeorm");

const bigint = { from: (text) => (text == null ? null : BigInt(text)), to: (value) => value?.toString() };

const text = { type: "text", nullable: true };
const int = { type: "int4", nullable: true };
const numeric = { type: "numeric", nullable: true, transformer: bigint };

class Entity {
  constructor(values) {
    Object.assign(this, values);
  }
}

class Block extends Entity {}
class Transaction extends Entity {}
class Log extends Entity {}

const columns = {
  Block: {
    number: int,
    hash: text,
    parentHash: text,
    timestamp: numeric,
    miner: text,
    gasLimit: numeric,
    gasUsed: numeric,
    baseFeePerGas: numeric,
    difficulty: numeric,
    size: numeric,
    extraData: text,
    logsBloom: text,
    stateRoot: text,
    transactionsRoot: text,
    receiptsRoot: text,
    sha3Uncles: text,
    nonce: text,
    mixHash: text,
  },
  Transaction: {
    blockNumber: int,
    transactionIndex: int,
    hash: text,
    type: int,
    from: text,
    to: text,
    nonce: int,
    value: numeric,
    gas: numeric,
    gasPrice: numeric,
    maxFeePerGas: numeric,
    maxPriorityFeePerGas: numeric,
    input: text,
    chainId: int,
    r: text,
    s: text,
    v: numeric,
    yParity: int,
    status: int,
    gasUsed: numeric,
    cumulativeGasUsed: numeric,
    effectiveGasPrice: numeric,
    contractAddress: text,
  },
  Log: {
    blockNumber: int,
    logIndex: int,
    transactionHash: text,
    transactionIndex: int,
    address: text,
    topic0: text,
    topic1: text,
    topic2: text,
    topic3: text,
    data: text,
  },
};

const schemaOf = (target, tableName) =>
  new EntitySchema({
    name: target.name,
    target,
    tableName,
    columns: { id: { type: "text", primary: true }, ...columns[target.name] },
  });

exports.Block = Block;
exports.Transaction = Transaction;
exports.Log = Log;
exports.columns = columns;
exports.BlockSchema = schemaOf(Block, "blocks");
exports.TransactionSchema = schemaOf(Transaction, "transactions");
exports.LogSchema = schemaOf(Log, "logs");
