// What a schema is made of, as PostgreSQL tells it.

import pg from "pg";

const questions = {
  tables: `
    select relname, relkind, relispartition, reloptions, obj_description(oid, 'pg_class') as comment
    from pg_class where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v') order by 1`,
  columns: `
    select relname, attnum, attname, format_type(atttypid, atttypmod) as type, attnotnull, attidentity,
      attgenerated, pg_get_expr(adbin, adrelid) as expression, relispartition, col_description(attrelid, attnum) as comment
    from pg_attribute join pg_class on pg_class.oid = attrelid
    left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v') and attnum > 0 order by 1, 2`,
  constraints: `
    select conrelid::regclass::text as table, conname, pg_get_constraintdef(oid) as definition
    from pg_constraint where connamespace = current_schema()::regnamespace order by 1, 2`,
  indexes: `
    select pg_get_indexdef(indexrelid) as definition
    from pg_index join pg_class on pg_class.oid = indrelid
    where relnamespace = current_schema()::regnamespace order by 1`,
  triggers: `
    select tgname, pg_get_triggerdef(pg_trigger.oid, true) as definition
    from pg_trigger join pg_class on pg_class.oid = tgrelid
    where relnamespace = current_schema()::regnamespace and not tgisinternal order by 1`,
  functions: `
    select pg_get_functiondef(oid) as definition, obj_description(oid, 'pg_proc') as comment
    from pg_proc where pronamespace = current_schema()::regnamespace order by 1`,
  views: `
    select viewname, definition from pg_views where schemaname = current_schema() order by 1`,
};

export type Catalog = Record<keyof typeof questions, Record<string, unknown>[]>;

/** Everything in a schema. The schema's own name, where a definition repeats it, is replaced. */
export async function readCatalog(url: string, schema = "public"): Promise<Catalog> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
  await client.connect();
  try {
    const entries: [string, unknown][] = [];
    for (const [name, question] of Object.entries(questions)) {
      const { rows } = await client.query(question);
      entries.push([name, JSON.parse(JSON.stringify(rows).replaceAll(`${schema}.`, "SCHEMA."))]);
    }
    return Object.fromEntries(entries) as Catalog;
  } finally {
    await client.end();
  }
}
