import { readFileSync } from "node:fs";
import type pg from "pg";
import { ConfigError, SchemaError } from "../errors.js";
import { plural } from "../wording.js";
import { changeSchema, lockSchema, type Migration, migrate, readMigrations } from "./migrations.js";
import { partitionSchema } from "./partitioned-schema.js";
import { inTransaction, type Sql } from "./pool.js";
import { newerSchema, readVersion, schemaVersion } from "./schema-version.js";

export { checkSchema, schemaVersion } from "./schema-version.js";

// dist/src/db/schema.js -> schema.sql
const schemaFile = new URL("../../../schema.sql", import.meta.url);

/**
 * Brings `schema` to this program's version: by schema.sql where nothing is there, by migrations where an
 * older version is. Creates the schema if needed. Safe to run twice, and by two at once: one waits for the
 * other. Returns the version that was there before, null if none, and how many blocks a partition holds,
 * 0 if there are no partitions. Throws a SchemaError, and changes nothing, when the database is newer than
 * this program.
 *
 * `partitionBlocks` is how the chain's tables are to be laid out; null: as they are, without partitions
 * where there are none yet. Throws a ConfigError, and changes nothing, when they are there in another way.
 */
export async function applySchema(
  pool: pg.Pool,
  schema: string,
  migrations: readonly Migration[] = readMigrations(),
  partitionBlocks: number | null = null,
): Promise<{ before: number | null; partitionBlocks: number }> {
  const { before, layout } = await inTransaction(pool, async (tx) => {
    await lockSchema(tx, schema);
    const { rows } = await tx.query<{ usable: boolean }>(
      "select has_schema_privilege(oid, 'USAGE') as usable from pg_namespace where nspname = $1",
      [schema],
    );
    // `if not exists` alone needs the right to create even when there is nothing to create.
    if (rows.length === 0) await tx.query(`create schema "${schema}"`);
    // Else what is there would not be seen, and what is missing would be looked for elsewhere.
    else if (!rows[0]?.usable) throw notUsable(schema);
    const found = (await readVersion(tx))?.version ?? null;
    const newest = migrations.at(-1)?.version ?? schemaVersion;
    if (found !== null && found > newest) throw newerSchema(schema, found);
    const there = await readLayout(tx);
    if (there !== null && partitionBlocks !== null && there !== partitionBlocks) {
      throw otherLayout(schema, { there, wanted: partitionBlocks });
    }
    const layout = there ?? partitionBlocks ?? 0;
    if (found === null || found === newest) {
      const text = readFileSync(schemaFile, "utf8");
      await changeSchema(tx, "schema.sql", layout === 0 ? text : partitionSchema(text, layout));
    }
    return { before: found, layout };
  });
  if (before !== null) await migrate(pool, schema, migrations);
  const after = (await readVersion(pool))?.version ?? 0;
  if (after < schemaVersion) {
    throw new SchemaError(`no migration leads from version ${after} to ${schemaVersion}`, { schema });
  }
  return { before, partitionBlocks: layout };
}

/** Blocks in a partition of the tables that are there, 0 if they are not partitioned; null: there are none. */
async function readLayout(sql: Sql): Promise<number | null> {
  const { rows } = await sql.query<{ told: boolean; made: boolean }>(
    "select to_regclass('chain_layout') is not null as told, to_regclass('blocks') is not null as made",
  );
  if (!rows[0]?.told) return rows[0]?.made ? 0 : null;
  const layout = await sql.query<{ partition_blocks: number | string }>(
    "select partition_blocks from chain_layout",
  );
  return Number(layout.rows[0]?.partition_blocks ?? 0);
}

function notUsable(schema: string): ConfigError {
  return new ConfigError(
    `database.url: permission denied for schema ${schema}; grant it to this user, or choose a database.schema that it owns`,
    { key: "database.url" },
  );
}

function otherLayout(schema: string, { there, wanted }: { there: number; wanted: number }): ConfigError {
  const are = there === 0 ? "are not partitioned" : `are partitioned by ${plural(there, "block")}`;
  return new ConfigError(
    `database.partition_blocks: ${wanted} is asked for, but the tables of the schema "${schema}" are there and ${are}. Tables are never made over: either set ${there}, or init another schema (database.schema) and fetch or copy the blocks into it, see docs/OPERATIONS.md`,
    { key: "database.partition_blocks" },
  );
}
