import { createHash, type Hash } from "node:crypto";
import type { ClientBase } from "pg";
import { to as copyTo } from "pg-copy-streams";
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
 * The digests of the blocks of a range as their rows are now, by number. A block whose digest is not
 * the one in its row was changed since it was written.
 */
export async function storedDigests(
  client: ClientBase,
  range: { from: number; to: number },
): Promise<Map<number, Buffer>> {
  const digests = new Map<number, Hash>();
  const digestOf = (number: number): Hash => {
    const known = digests.get(number) ?? createHash("sha256");
    digests.set(number, known);
    return known;
  };
  for (const name of digestedTables) {
    const table = CHAIN_TABLES[name];
    const query = select(
      table.name,
      table.columns,
      table.blockColumn,
      `${table.blockColumn}, ${order[name]}`,
      range,
    );
    await eachRow(client, query, (number, row) => digestOf(number).update(row));
  }
  const blocks = select("blocks", digestedColumns, "number", "number", range);
  await eachRow(client, blocks, (number, row) => digestOf(number).update(row.subarray(rowPrefixBytes)));
  return new Map([...digests].map(([number, digest]) => [number, digest.digest()]));
}

function select(
  table: string,
  columns: readonly string[],
  blockColumn: string,
  orderBy: string,
  { from, to }: { from: number; to: number },
): string {
  // COPY takes no parameters; these are numbers.
  const where = `${blockColumn} between ${BigInt(from)} and ${BigInt(to)}`;
  return `copy (select ${columns.join(", ")} from ${table} where ${where} order by ${orderBy}) to stdout (format binary)`;
}

/** Runs a binary COPY whose first column is the block's number, and hands over each row as it came. */
async function eachRow(
  client: ClientBase,
  copy: string,
  work: (number: number, row: Buffer) => void,
): Promise<void> {
  let rest = Buffer.alloc(0);
  let headerLeft = copyHeader.length;
  for await (const chunk of client.query(copyTo(copy))) {
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
