import { readFileSync } from "node:fs";
import type pg from "pg";
import { SchemaError } from "../errors.js";
import { changeSchema, lockSchema, type Migration, migrate, readMigrations } from "./migrations.js";
import { inTransaction } from "./pool.js";
import { newerSchema, readVersion, schemaVersion } from "./schema-version.js";

export { checkSchema, schemaVersion } from "./schema-version.js";

// dist/src/db/schema.js -> schema.sql
const schemaFile = new URL("../../../schema.sql", import.meta.url);

/**
 * Brings `schema` to this program's version: by schema.sql where nothing is there, by migrations where an
 * older version is. Creates the schema if needed. Safe to run twice, and by two at once: one waits for the
 * other. Returns the version that was there before, null if none. Throws a SchemaError, and changes
 * nothing, when the database is newer than this program.
 */
export async function applySchema(
  pool: pg.Pool,
  schema: string,
  migrations: readonly Migration[] = readMigrations(),
): Promise<{ before: number | null }> {
  const before = await inTransaction(pool, async (tx) => {
    await lockSchema(tx, schema);
    const { rows } = await tx.query("select from pg_namespace where nspname = $1", [schema]);
    // `if not exists` alone needs the right to create even when there is nothing to create.
    if (rows.length === 0) await tx.query(`create schema "${schema}"`);
    const found = (await readVersion(tx))?.version ?? null;
    const newest = migrations.at(-1)?.version ?? schemaVersion;
    if (found !== null && found > newest) throw newerSchema(schema, found);
    if (found === null || found === newest) {
      await changeSchema(tx, "schema.sql", readFileSync(schemaFile, "utf8"));
    }
    return found;
  });
  if (before !== null) await migrate(pool, schema, migrations);
  const after = (await readVersion(pool))?.version ?? 0;
  if (after < schemaVersion) {
    throw new SchemaError(`no migration leads from version ${after} to ${schemaVersion}`, { schema });
  }
  return { before };
}
