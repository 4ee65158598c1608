import { createHash } from "node:crypto";
import type { ClientBase } from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { Hex } from "../block.js";
import { readVersion, schemaVersion } from "../db/schema-version.js";
import { SchemaError } from "../errors.js";
import { type BlockNumbers, blockCondition } from "./block-condition.js";
import { BLOCK_TABLES, CHILD_TABLES, type ChildTableKey } from "./chain-tables.js";
import { copyHeader } from "./copy-writer.js";
import { columnsOf, coversItself, digestVersion, isKnownVersion } from "./digest-version.js";
import { rowPrefixBytes } from "./encode-block.js";

// The order within a block in which its rows were written.
const order: Record<ChildTableKey, string> = {
  transactions: "transaction_index",
  logs: "log_index",
  withdrawals: "index",
  tokenTransfers: "log_index, batch_index",
};

/**
 * The digests of these blocks as their rows are now, by number, each over what its version covers. A block whose digest
 * is not the one in its row was changed since it was written. A block without a row has none, and neither has one whose
 * version no program ever wrote. Throws a SchemaError for a version that only a newer program knows.
 */
export async function storedDigests(client: ClientBase, numbers: BlockNumbers): Promise<Map<number, Hex>> {
  const digests = new Map<number, Hex>();
  for (const [version, ofVersion] of await byVersion(client, numbers)) {
    if (isKnownVersion(version)) await addDigests(client, ofVersion, { version, digests });
    else await refuseNewer(client, ofVersion, version);
  }
  return digests;
}

/** The stored ones of these blocks, by the version of their digests. */
async function byVersion(client: ClientBase, numbers: BlockNumbers): Promise<[number, BlockNumbers][]> {
  const { rows } = await client.query<{ version: number; numbers: string[] }>(
    `select digest_version as version, array_agg(number::text order by number) as numbers
     from blocks where ${blockCondition("number", numbers)} group by 1 order by 1`,
  );
  return rows.map((row) => [row.version, row.numbers.map(Number)]);
}

async function addDigests(
  client: ClientBase,
  numbers: BlockNumbers,
  { version, digests }: { version: number; digests: Map<number, Hex> },
): Promise<void> {
  const hashes = new Map(numbers.map((number) => [number, createHash("sha256")]));
  for (const { key, name, blockColumn, covered } of Object.values(CHILD_TABLES)) {
    const columns = columnsOf(covered, version).join(", ");
    const where = blockCondition(blockColumn, numbers);
    const query = `select ${columns} from ${name} where ${where} order by ${blockColumn}, ${order[key]}`;
    await eachRow(client, query, (number, row) => hashes.get(number)?.update(row));
  }
  const own = columnsOf(BLOCK_TABLES.blocks.covered, version);
  if (coversItself(version)) own.push("digest_version");
  const blocks = `select ${own.join(", ")} from blocks where ${blockCondition("number", numbers)} order by number`;
  await eachRow(client, blocks, (number, row) => hashes.get(number)?.update(row.subarray(rowPrefixBytes)));
  for (const [number, hash] of hashes) digests.set(number, `0x${hash.digest("hex")}`);
}

/** While daemons are upgraded one after the other, a newer one may write what this program cannot prove. */
async function refuseNewer(client: ClientBase, [first]: BlockNumbers, version: number): Promise<void> {
  const schema = await readVersion(client);
  if (version <= digestVersion || schema === null || schema.version <= schemaVersion) return;
  throw new SchemaError(
    `block ${first}: its digest is of version ${version}, this program knows ${digestVersion}: use the newer blockmill that wrote it`,
    { block: first, version },
  );
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
