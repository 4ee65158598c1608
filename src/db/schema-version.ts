import { SchemaError } from "../errors.js";
import type { Sql } from "./pool.js";

/** The version of schema.sql that this program reads and writes. */
export const schemaVersion = 2;

export interface Version {
  version: number;
  /** The oldest version whose programs still work with it. */
  accepts: number;
}

/** The version of the first schema on the search_path; null: it has no blockmill tables. */
export async function readVersion(sql: Sql): Promise<Version | null> {
  const there = await sql.query<{ there: boolean }>(
    `select exists (
       select from pg_class where relname = 'schema_version' and relnamespace = to_regnamespace(quote_ident(current_schema()))
     ) as there`,
  );
  if (!there.rows[0]?.there) return null;
  const { rows } = await sql.query<Version>(
    // By way of JSON: a version to come may have other columns.
    `select version, coalesce((to_jsonb(schema_version) ->> 'accepts')::int, version) as accepts
     from schema_version order by version desc limit 1`,
  );
  return rows[0] ?? null;
}

/** Throws a SchemaError unless the schema is there, and this program works with its version. */
export async function checkSchema(sql: Sql, schema: string): Promise<void> {
  const found = await readVersion(sql);
  if (found === null) {
    throw new SchemaError(`the schema "${schema}" has no blockmill tables: run blockmill init`, { schema });
  }
  const { version, accepts } = found;
  if (accepts > schemaVersion) throw newerSchema(schema, version);
  if (version < schemaVersion) {
    throw new SchemaError(
      `the schema "${schema}" has version ${version}, this program needs ${schemaVersion}: run blockmill init`,
      { schema, version },
    );
  }
}

/** A schema that this program cannot change, since it does not know its newer parts. */
export function newerSchema(schema: string, version: number): SchemaError {
  return new SchemaError(
    `the schema "${schema}" has version ${version}, newer than this program's ${schemaVersion}: install a newer blockmill`,
    { schema, version },
  );
}
