// What was applied: the rows of the table decoders. They decide what is decoded, and not the configuration, from which
// blockmill decode apply makes them: so everybody who shares a schema decodes alike, at any moment.

import type { DecodeSettings } from "../config/decode-settings.js";
import type { Sql } from "../db/pool.js";
import { createDecode, type Decode } from "./decode-logs.js";
import { createDecoder, type Decoder } from "./decoder.js";
import { configuredHash, currentMeaning, type EventDefinition } from "./definition.js";

/** What is decoded now. */
export interface Registry {
  /** Tells it from any other one. Null: nothing was applied. */
  generation: string | null;
  decoders: readonly Decoder[];
  /** Tables that a newer program applied, or that cannot be read: this one leaves them to others. */
  unknown: readonly string[];
}

/** As SQL: what `Registry.generation` is. */
export const generation = "(select string_agg(id::text, ',' order by id) from decoders)";

/** Which generation is applied by now, and whether commits have noted something that is to be added up. */
export async function readGeneration(sql: Sql): Promise<{ generation: string | null; noted: boolean }> {
  const { rows } = await sql.query<{ generation: string | null; noted: boolean }>(
    `select ${generation} as generation, exists (select from decoded_blocks) as noted`,
  );
  return rows[0] ?? { generation: null, noted: false };
}

/** Reads what was applied. */
export async function readRegistry(sql: Sql): Promise<Registry> {
  const { rows } = await sql.query<{ id: number; table: string; definition: EventDefinition }>(
    `select id, table_name as "table", definition from decoders order by id`,
  );
  const unknown: string[] = [];
  const decoders = rows.flatMap((row) => {
    try {
      if (row.definition.meaning !== currentMeaning) throw new TypeError("of another version");
      return createDecoder(row);
    } catch {
      unknown.push(row.table);
      return [];
    }
  });
  const ids = rows.map(({ id }) => id);
  return { generation: ids.length === 0 ? null : ids.join(","), decoders, unknown };
}

/** Decoders, with the function that decodes for all of them at once. */
export interface DecoderSet {
  decoders: readonly Decoder[];
  decode: Decode;
}

export function decoderSet(decoders: readonly Decoder[]): DecoderSet {
  return { decoders, decode: createDecode(decoders) };
}

/** Contracts of the configuration of which something else is applied, or nothing. */
export async function findUnapplied(sql: Sql, settings: DecodeSettings): Promise<string[]> {
  const { rows } = await sql.query<{ contract: string; configured: string }>(
    "select distinct definition ->> 'contract' as contract, configured from decoders",
  );
  return Object.entries(settings).flatMap(([name, contract]) => {
    const applied = rows.filter((row) => row.contract === name);
    const hash = configuredHash(contract);
    return applied.length > 0 && applied.every(({ configured }) => configured === hash) ? [] : [name];
  });
}
