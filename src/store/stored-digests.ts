import { createHash, type Hash } from "node:crypto";
import type { ClientBase } from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { Hex } from "../block.js";
import { type BlockNumbers, blockCondition } from "./block-condition.js";
import { CHAIN_TABLES } from "./chain-tables.js";
import { copyHeader } from "./copy-writer.js";
import { digestedColumns, digestedTables, rowPrefixBytes } from "./encode-block.js";

// The order within a block in which its rows were written.
const order = {
  transactions: "transaction_index",
  logs: "log_index",
  withdrawals: "index",
  tokenTransfers: "log_index, batch_index",
};

/**
 * The digests of these blocks as their rows are now, by number. A block whose digest is not the one in
 * its row was changed since it was written. A block without any row has none.
 */
export async function storedDigests(client: ClientBase, numbers: BlockNumbers): Promise<Map<number, Hex>> {
  const digests = new Map<number, Hash>();
  const digestOf = (number: number): Hash => {
    const known = digests.get(number) ?? createHash("sha256");
    digests.set(number, known);
    return known;
  };
  for (const name of digestedTables) {
    const table = CHAIN_TABLES[name];
    const where = blockCondition(table.blockColumn, numbers);
    const query = `select ${table.columns.join(", ")} from ${table.name} where ${where} order by ${table.blockColumn}, ${order[name]}`;
    await eachRow(client, query, (number, row) => digestOf(number).update(row));
  }
  const blocks = `select ${digestedColumns.join(", ")} from blocks where ${blockCondition("number", numbers)} order by number`;
  await eachRow(client, blocks, (number, row) => digestOf(number).update(row.subarray(rowPrefixBytes)));
  return new Map([...digests].map(([number, digest]) => [number, `0x${digest.digest("hex")}`]));
}

/** Copies a query's rows out, whose first column is the block's number, and hands over each as it came. */
async function eachRow(
  client: ClientBase,
  query: string,
  work: (number: number, row: Buffer) => void,
): Promise<void> {
  let rest = Buffer.alloc(0);
  let headerLeft = copyHeader.length;
  for await (const chunk of client.query(copyTo(`copy (${query}) to stdout (format binary)`))) {
    let data = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    const skipped = Math.min(headerLeft, data.length);
    data = data.subarray(skipped);
    headerLeft -= skipped;
    let at = 0;
    for (let end = rowEnd(data, at); end !== null; end = rowEnd(data, at)) {
      // Behind the row's prefix and the field's length.
      if (end > at + rowPrefixBytes)
        work(Number(data.readBigInt64BE(at + rowPrefixBytes + 4)), data.subarray(at, end));
      at = end;
    }
    rest = Buffer.from(data.subarray(at));
  }
}

/** Where the row at `at` ends; null: not all of it is here. The trailer counts as a row without fields. */
function rowEnd(data: Buffer, at: number): number | null {
  if (at + rowPrefixBytes > data.length) return null;
  const fields = data.readInt16BE(at);
  let end = at + rowPrefixBytes;
  for (let field = 0; field < fields; field += 1) {
    if (end + 4 > data.length) return null;
    end += 4 + Math.max(0, data.readInt32BE(end));
  }
  return end > data.length ? null : end;
}
