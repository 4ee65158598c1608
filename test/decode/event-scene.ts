// Event tables over a world's rows, and what they must be: what viem makes of the stored logs.

import assert from "node:assert/strict";
import type pg from "pg";
import { type AbiEvent, decodeEventLog, type Hex, parseAbiItem, toEventHash } from "viem";
import type { DecodeSettings } from "../../src/config/decode-settings.js";
import { inTransaction } from "../../src/db/pool.js";
import { createDecoder } from "../../src/decode/decoder.js";
import type { EventDefinition } from "../../src/decode/definition.js";
import { planDecoders } from "../../src/decode/plan-decoders.js";
import { decoderSet, readRegistry } from "../../src/decode/registry.js";
import { applyDecoders, dropDecoders } from "../../src/pipeline/apply-decoders.js";
import type { Door } from "../../src/pipeline/change-rows.js";
import { fillEventTables } from "../../src/pipeline/fill-event-tables.js";

/** Events of the fixture node's logs. */
export const fixtureEvents: DecodeSettings = {
  erc20: {
    address: "any",
    events: [
      "Transfer(address indexed from, address indexed to, uint256 value)",
      "Approval(address indexed owner, address indexed spender, uint256 value)",
    ],
  },
  erc721: {
    address: "any",
    events: ["Transfer(address indexed from, address indexed to, uint256 indexed tokenId)"],
  },
  pair: {
    address: "any",
    events: [
      "Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)",
      "Sync(uint112 reserve0, uint112 reserve1)",
    ],
  },
  erc1155: {
    address: "any",
    events: [
      "TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values)",
    ],
  },
};

/** Applies settings, and returns what was applied. */
export async function apply(pool: pg.Pool, settings: DecodeSettings): Promise<void> {
  await applyDecoders(pool, planDecoders(settings, process.cwd()));
}

/** Takes every event table away. */
export async function dropAll(pool: pg.Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>("select table_name as name from decoders");
  await dropDecoders(
    pool,
    rows.map(({ name }) => name),
  );
  await pool.query("truncate decoded_blocks");
}

/** Fills until nothing is left; returns how many blocks it filled. */
export async function fillAll(door: Door, blocks = 7): Promise<number> {
  const { decoders } = await readRegistry(door.pool);
  for (let sum = 0; ; ) {
    const filled = await fillEventTables(door, decoderSet(decoders), { blocks });
    if (filled.blocks === 0) return sum;
    sum += filled.blocks;
  }
}

interface StoredLog {
  block_number: number;
  log_index: number;
  transaction_hash: Hex;
  address: Hex;
  topics: Hex[];
  data: Hex;
  time: string;
}

const storedLogs = `
  select block_number::int, log_index, '0x' || encode(logs.transaction_hash, 'hex') as transaction_hash,
    '0x' || encode(address, 'hex') as address,
    array(select '0x' || encode(topic, 'hex') from unnest(array[topic0, topic1, topic2, topic3]) with ordinality as t (topic, place)
          where topic is not null order by place) as topics,
    '0x' || encode(data, 'hex') as data, timestamp::text as time
  from logs join blocks on number = block_number
  where $1::int8multirange @> block_number order by 1, 2`;

/**
 * Asserts that every event table has, of the blocks that it covers, exactly the rows that viem makes of their logs. With
 * `isWhole`: and that it covers every stored block. One snapshot. Returns how many rows there are in all.
 */
export async function assertDecoded(pool: pg.Pool, { isWhole }: { isWhole: boolean }): Promise<number> {
  return inTransaction(pool, async (tx) => {
    await tx.query("set transaction isolation level repeatable read, read only");
    const { rows: applied } = await tx.query<{
      id: number;
      table: string;
      definition: EventDefinition;
      covered: string;
      whole: boolean;
    }>(
      `with noted as (
         select decoder, range_agg(span) as blocks
         from decoded_blocks, unnest(decoders) as decoder, unnest(blocks) as span group by 1
       )
       select id, table_name as "table", definition, (coverage + coalesce(noted.blocks, '{}'))::text as covered,
         not exists (select from blocks where not (coverage + coalesce(noted.blocks, '{}')) @> number) as whole
       from decoders left join noted on decoder = id`,
    );
    let count = 0;
    for (const { covered, whole, ...row } of applied) {
      if (isWhole) assert(whole, `${row.table} does not cover every stored block: ${covered}`);
      const { rows: logs } = await tx.query<StoredLog>(storedLogs, [covered]);
      const { columns } = createDecoder(row).event;
      const expected = logs.flatMap((log) => expectedRow(row.definition, log));
      const list = columns.map(({ name, type }) =>
        type === "bytea" ? `'0x' || encode("${name}", 'hex')` : `"${name}"::text`,
      );
      const { rows: actual } = await tx.query({
        text: `select block_number::int, log_index, block_timestamp::text, '0x' || encode(transaction_hash, 'hex'),
          '0x' || encode(address, 'hex'), array[${list.join(", ")}]::text[], undecodable
          from ${row.table} where $1::int8multirange @> block_number order by 1, 2`,
        values: [covered],
        rowMode: "array",
      });
      assert.deepEqual(actual, expected, row.table);
      count += actual.length;
    }
    return count;
  });
}

function expectedRow({ event, address }: EventDefinition, log: StoredLog): unknown[] {
  const item = parseAbiItem(`event ${event}`) as AbiEvent;
  if (log.topics[0] !== toEventHash(item)) return [];
  if (log.topics.length !== 1 + item.inputs.filter(({ indexed }) => indexed).length) return [];
  if (Array.isArray(address) && !address.includes(log.address)) return [];
  let args: Record<string, unknown>;
  try {
    const decoded = decodeEventLog({
      abi: [item],
      topics: log.topics as [Hex],
      data: log.data,
      strict: true,
    });
    args = decoded.args as unknown as Record<string, unknown>;
  } catch {
    return [];
  }
  const text = (value: unknown): string =>
    Array.isArray(value) ? `{${value.map(text).join(",")}}` : String(value).toLowerCase();
  const values = item.inputs.map(({ name = "" }) => text(args[name]));
  return [[log.block_number, log.log_index, log.time, log.transaction_hash, log.address, values, null]];
}
