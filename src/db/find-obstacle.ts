import pg from "pg";
import { readDerivedTables } from "./derived-tables.js";
import { workerRightsOf } from "./grants.js";
import type { Sql } from "./pool.js";

/** What keeps a daemon from working in a schema, and the statement or the command that mends it. */
export interface Obstacle {
  reason: string;
  remedy: string;
}

/**
 * What would stop a daemon of this role, or let it see nothing and say nothing: a table that is missing, a right that
 * is, row level security that hides rows, a trigger that does not fire. Returns the first; null: there is none.
 */
export async function findObstacle(sql: Sql): Promise<Obstacle | null> {
  const schema = await readSchema(sql);
  return (
    (await findMissing(sql, schema)) ?? (await findHidden(sql, schema)) ?? (await findSilent(sql, schema))
  );
}

interface Place {
  schema: string;
  role: string;
  replication: string;
}

async function readSchema(sql: Sql): Promise<Place> {
  const { rows } = await sql.query<Place>(
    `select current_schema() as schema, current_user as role,
       current_setting('session_replication_role') as replication`,
  );
  if (rows[0] === undefined) throw new Error("select returned no row");
  return rows[0];
}

async function findMissing(sql: Sql, { schema, role }: Place): Promise<Obstacle | null> {
  const wanted = workerRightsOf(await readDerivedTables(sql, schema));
  const pairs = [...wanted].flatMap(([table, rights]) => rights.map((right) => ({ table, right })));
  const { rows } = await sql.query<{ name: string; there: boolean; rights: string }>(
    `select name, bool_and(oid is not null) as there, string_agg("right", ', ') as rights
     from unnest($1::text[], $2::text[]) with ordinality as wanted (name, "right", place)
       left join pg_class on relname = name and relnamespace = to_regnamespace(quote_ident($3))
     where oid is null or relkind <> 'v' and not has_table_privilege(oid, "right")
     group by name order by min(place) limit 1`,
    [pairs.map(({ table }) => table), pairs.map(({ right }) => right), schema],
  );
  const missing = rows[0];
  if (missing === undefined) return null;
  if (!missing.there) return { reason: `the table ${missing.name} is missing`, remedy: "run blockmill init" };
  return {
    reason: `the role "${role}" has no right to ${missing.rights} on ${missing.name}`,
    remedy: `run blockmill grant --worker ${role} as the owner of the tables`,
  };
}

async function findHidden(sql: Sql, { schema, role }: Place): Promise<Obstacle | null> {
  const { rows } = await sql.query<{ name: string }>(
    `select relname as name from pg_class
     where relnamespace = to_regnamespace(quote_ident($1)) and relname = any ($2) and row_security_active(oid)
     order by 1 limit 1`,
    [schema, [...workerRightsOf(await readDerivedTables(sql, schema)).keys()]],
  );
  const name = rows[0]?.name;
  if (name === undefined) return null;
  const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(name)}`;
  return {
    reason: `row level security hides rows of ${name} from the role "${role}"`,
    remedy: `ALTER TABLE ${table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY`,
  };
}

/** Triggers as PostgreSQL's session_replication_role and ALTER TABLE ... DISABLE TRIGGER leave them. */
async function findSilent(sql: Sql, { schema, role, replication }: Place): Promise<Obstacle | null> {
  if (replication === "replica") {
    return {
      reason: `sessions of the role "${role}" fire no triggers (session_replication_role is replica)`,
      remedy: `ALTER ROLE ${pg.escapeIdentifier(role)} RESET session_replication_role, and ALTER DATABASE likewise`,
    };
  }
  const { rows } = await sql.query<{ name: string; trigger: string }>(
    `select relname as name, tgname as trigger
     from pg_trigger join pg_class on pg_class.oid = tgrelid
     where relnamespace = to_regnamespace(quote_ident($1)) and relname = any ($2)
       and not tgisinternal and tgenabled in ('D', 'R')
     order by 1, 2 limit 1`,
    [schema, [...workerRightsOf([]).keys()]],
  );
  const found = rows[0];
  if (found === undefined) return null;
  const table = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(found.name)}`;
  return {
    reason: `the trigger ${found.trigger} of ${found.name} is disabled`,
    remedy: `ALTER TABLE ${table} ENABLE TRIGGER USER`,
  };
}
