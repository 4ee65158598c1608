import pg from "pg";
import type { Sql } from "./pool.js";

/**
 * The names of the tables that hold what follows from a block's rows (chain_tables), in order. One that was dropped
 * is left out. Without a `schema`: of the first one on the search_path.
 */
export async function readDerivedTables(sql: Sql, schema?: string): Promise<string[]> {
  const place = schema === undefined ? "" : `${pg.escapeIdentifier(schema)}.`;
  const { rows } = await sql.query<{ name: string }>(
    `select name from ${place}chain_tables as listed
     where exists (
       select from pg_class as list join pg_class as found using (relnamespace)
       where list.oid = listed.tableoid and found.relname = listed.name
     )
     order by name`,
  );
  return rows.map(({ name }) => name);
}

/** The views that show those tables with 0x text, where there are any. */
export async function readDerivedViews(sql: Sql, schema: string): Promise<string[]> {
  const { rows } = await sql.query<{ name: string }>(
    `select relname as name from ${pg.escapeIdentifier(schema)}.chain_tables as listed
       join pg_class on relname = listed.name || '_hex' and relkind = 'v'
       join pg_namespace on pg_namespace.oid = relnamespace
     where nspname = $1 order by name`,
    [schema],
  );
  return rows.map(({ name }) => name);
}
