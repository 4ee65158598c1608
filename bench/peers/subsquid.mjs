// Subsquid: blocks, transactions with their receipts, and logs, from the node's JSON-RPC alone, by
// EvmBatchProcessor and TypeormDatabase as its documentation has them.

import { createRequire } from "node:module";
import path from "node:path";
import pg from "pg";
import { runPeer } from "./run-peer.mjs";

const require = createRequire(import.meta.url);
const projectDir = path.join(import.meta.dirname, "subsquid");

runPeer(async ({ settings, ready }) => {
  const { databaseUrl, nodeUrl, from, to } = settings;
  process.env.DB_URL = databaseUrl;
  const { EvmBatchProcessor } = require("@subsquid/evm-processor");
  const { TypeormDatabase } = require("@subsquid/typeorm-store");
  const { Block, Transaction, Log, columns } = require("./subsquid/lib/model");
  await createTables(databaseUrl, columns);

  const fieldsOf = (names) => Object.fromEntries(names.map((name) => [name, true]));
  const own = (name) => name !== "blockNumber";
  const processor = new EvmBatchProcessor()
    .setRpcEndpoint({ url: nodeUrl, capacity: 20, maxBatchCallSize: 100 })
    .setFinalityConfirmation(10)
    .setBlockRange({ from, to })
    .includeAllBlocks()
    .setFields({
      block: fieldsOf(
        Object.keys(columns.Block).filter((name) => !["number", "hash", "parentHash"].includes(name)),
      ),
      transaction: fieldsOf(
        Object.keys(columns.Transaction).filter((name) => own(name) && name !== "transactionIndex"),
      ),
      log: { address: true, topics: true, data: true, transactionHash: true },
    })
    .addTransaction({})
    .addLog({});

  await ready();
  processor.run(new TypeormDatabase({ projectDir, supportHotBlocks: false }), async ({ blocks, store }) => {
    const rows = { blocks: [], transactions: [], logs: [] };
    for (const { header, transactions, logs } of blocks) {
      const { height } = header;
      rows.blocks.push(new Block({ ...pick(header, columns.Block), id: header.id, number: height }));
      for (const each of transactions) {
        rows.transactions.push(
          new Transaction({ ...pick(each, columns.Transaction), id: each.id, blockNumber: height }),
        );
      }
      for (const each of logs) {
        const [topic0, topic1, topic2, topic3] = each.topics;
        const topics = { topic0, topic1, topic2, topic3 };
        rows.logs.push(new Log({ ...pick(each, columns.Log), ...topics, id: each.id, blockNumber: height }));
      }
    }
    await store.insert(rows.blocks);
    await store.insert(rows.transactions);
    await store.insert(rows.logs);
  });
  // It ends the process by itself.
  await new Promise(() => {});
});

function pick(object, columns) {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, object[name]]));
}

/** What its migrations would make. */
async function createTables(databaseUrl, columns) {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  const tables = { blocks: columns.Block, transactions: columns.Transaction, logs: columns.Log };
  for (const [table, fields] of Object.entries(tables)) {
    const list = Object.entries(fields).map(([name, { type }]) => `"${snake(name)}" ${type}`);
    await client.query(`create table ${table} (id text primary key, ${list.join(", ")})`);
  }
  await client.end();
}

/** As typeorm's naming strategy has it. */
function snake(name) {
  return name
    .replace(/([A-Z])([A-Z])/g, "$1_$2")
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase();
}
