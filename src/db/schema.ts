import { readFileSync } from "node:fs";
import type pg from "pg";
import { SchemaError } from "../errors.js";
import { inTransaction, type Sql } from "./pool.js";

/** The version of schema.sql that this program reads and writes. */
export const schemaVersion = 1;

// dist/src/db/schema.js -> schema.sql
const schemaFile = new URL("../../../schema.sql", import.meta.url);

/**
 * Applies schema.sql to `schema`, creating it if needed. Safe to run twice, and by two at once: one
 * waits for the other. Returns the version that was there before, null if none. Throws a SchemaError,
 * and changes nothing, when the database is newer than this program.
 */
export async function applySchema(pool: pg.Pool, schema: string): Promise<{ before: number | null }> {
  return inTransaction(pool, async (tx) => {
    await tx.query("select pg_advisory_xact_lock(hashtextextended($1, 0))", [`blockmill init ${schema}`]);
    const { rows } = await tx.query("select from pg_namespace where nspname = $1", [schema]);
    // `if not exists` alone needs the right to create even when there is nothing to create.
    if (rows.length === 0) await tx.query(`create schema "${schema}"`);
    const before = await readVersion(tx);
    if (before !== null && before > schemaVersion) throw newerSchema(schema, before);
    await tx.query(readFileSync(schemaFile, "utf8"));
    return { before };
  });
}

/** Throws a SchemaError unless the schema is there and of this program's version. */
export async function checkSchema(sql: Sql, schema: string): Promise<void> {
  const version = await readVersion(sql);
  if (version === null) {
    throw new SchemaError(`the schema "${schema}" has no blockmill tables: run blockmill init`, { schema });
  }
  if (version > schemaVersion) throw newerSchema(schema, version);
  if (version < schemaVersion) {
    throw new SchemaError(
      `the schema "${schema}" has version ${version}, this program needs ${schemaVersion}: run blockmill init`,
      { schema, version },
    );
  }
}

async function readVersion(sql: Sql): Promise<number | null> {
  const there = await sql.query<{ there: boolean }>(
    `select exists (
       select from pg_class where relname = 'schema_version' and relnamespace = to_regnamespace(quote_ident(current_schema()))
     ) as there`,
  );
  if (!there.rows[0]?.there) return null;
  const { rows } = await sql.query<{ version: number | null }>(
    "select max(version) as version from schema_version",
  );
  return rows[0]?.version ?? null;
}

function newerSchema(schema: string, version: number): SchemaError {
  return new SchemaError(
    `the schema "${schema}" has version ${version}, newer than this program's ${schemaVersion}: install a newer blockmill`,
    { schema, version },
  );
}
