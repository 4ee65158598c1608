import type { Sql } from "../db/pool.js";
import type { ReaderIndex } from "./reader-indexes.js";

/** A table that holds rows: a whole one, or a partition. */
export interface Leaf {
  name: string;
  /** As a statement names it. */
  sql: string;
  bytes: number;
}

/** An index as the catalog has it. */
export interface FoundIndex {
  name: string;
  sql: string;
  valid: boolean;
  bytes: number;
}

/** What became of a reader index on one leaf. */
export interface LeafState {
  leaf: Leaf;
  /** An index of this definition: valid, but not part of the partitioned one yet. */
  ready: FoundIndex | null;
  /** What a build that did not come to its end left, under the name that this one has. */
  leftover: FoundIndex | null;
}

export interface IndexState {
  index: ReaderIndex;
  /** missing: nothing is there. unfinished: a build did not come to its end, or not yet. */
  state: "built" | "unfinished" | "missing";
  /** What it is called where it is there: another index, such as that of a constraint, may do the same. */
  as: string | null;
  bytes: number;
  /** How many partitions the table has; null: it is not partitioned. */
  partitions: number | null;
  /** Where it has still to be built. */
  open: LeafState[];
  /** Something else has its name, there, or on one of the leaves. */
  taken: string | null;
}

const readLeaves = `
  with wanted as (
    select oid, relname, relkind from pg_class
    where relnamespace = current_schema()::regnamespace and relname = any ($1::text[]) and relkind in ('r', 'p')
  )
  select wanted.relname as parent, wanted.oid as parent_oid, wanted.relkind = 'p' as partitioned,
    part.oid, part.relname as name, part.oid::regclass::text as sql, pg_relation_size(part.oid)::float8 as bytes
  from wanted
    left join pg_inherits on wanted.relkind = 'p' and inhparent = wanted.oid
    left join pg_class as part on part.oid = case wanted.relkind when 'p' then inhrelid else wanted.oid end
  order by part.oid`;

interface LeafRow {
  parent: string;
  parent_oid: number;
  partitioned: boolean;
  oid: number | null;
  name: string;
  sql: string;
  bytes: number;
}

const readIndexes = `
  select indrelid as table_oid, pg_class.relname as name, indexrelid::regclass::text as sql, indisvalid as valid,
    pg_relation_size(indexrelid)::float8 as bytes, inhparent as part_of, indexrelid as oid,
    amname = 'btree' and indexprs is null as simple,
    pg_get_expr(indpred, indrelid) as predicate,
    array(
      select attname::text
      from unnest(indkey) with ordinality as key (number, place)
        join pg_attribute on attrelid = indrelid and attnum = key.number
      where place <= indnkeyatts order by place
    ) as columns
  from pg_index
    join pg_class on pg_class.oid = indexrelid
    join pg_am on pg_am.oid = relam
    left join pg_inherits on inhrelid = indexrelid
  where indrelid = any ($1::oid[]) and indislive`;

interface IndexRow extends FoundIndex {
  table_oid: number;
  oid: number;
  part_of: number | null;
  simple: boolean;
  predicate: string | null;
  columns: string[];
}

/** How far these indexes are built, from the catalog alone. */
export async function readIndexStates(sql: Sql, wanted: readonly ReaderIndex[]): Promise<IndexState[]> {
  const tables = [...new Set(wanted.map(({ table }) => table))];
  const leaves = (await sql.query<LeafRow>(readLeaves, [tables])).rows;
  const oids = [
    ...new Set(leaves.flatMap(({ oid, parent_oid }) => (oid === null ? [parent_oid] : [oid, parent_oid]))),
  ];
  const indexes = (await sql.query<IndexRow>(readIndexes, [oids])).rows;
  return wanted.map((index) =>
    stateOf(
      index,
      leaves.filter(({ parent }) => parent === index.table),
      indexes,
    ),
  );
}

/** The index of one leaf, named as PostgreSQL itself names those of partitions that are attached later. */
export function leafIndexName(index: ReaderIndex, leaf: Leaf): string {
  return leaf.name === index.table ? index.name : `${[leaf.name, ...index.columns].join("_")}_idx`;
}

function stateOf(index: ReaderIndex, leaves: LeafRow[], all: IndexRow[]): IndexState {
  const [first] = leaves;
  if (first === undefined) throw new Error(`there is no table ${index.table}`);
  const rows = first.partitioned ? leaves.filter(({ oid }) => oid !== null) : [first];
  const onParent = all.filter(({ table_oid }) => table_oid === first.parent_oid);
  const own = onParent.find(({ name }) => name === index.name);
  const bytesOf = (parent: IndexRow): number =>
    all.reduce((sum, each) => (each.part_of === parent.oid ? sum + each.bytes : sum), parent.bytes);
  const state = { index, partitions: first.partitioned ? rows.length : null };

  const built = onParent.find((each) => each.valid && does(each, index));
  if (built !== undefined)
    return { ...state, state: "built", as: built.name, bytes: bytesOf(built), open: [], taken: null };

  const named: (IndexRow | undefined)[] = [own];
  const open = rows.flatMap((row) => {
    const leaf: Leaf = { name: row.name, sql: row.sql, bytes: row.bytes };
    const here = all.filter(({ table_oid }) => table_oid === (row.oid ?? row.parent_oid));
    if (own !== undefined && here.some((each) => each.part_of === own.oid)) return [];
    const ours = here.find(({ name }) => name === leafIndexName(index, leaf));
    named.push(ours);
    const ready = here.find((each) => each.valid && each.part_of === null && does(each, index));
    return [{ leaf, ready: ready ?? null, leftover: ours !== undefined && !ours.valid ? ours : null }];
  });
  const taken = named.find((each) => each !== undefined && !does(each, index));
  return {
    ...state,
    state: named.some((each) => each !== undefined) ? "unfinished" : "missing",
    as: null,
    bytes: own === undefined ? 0 : bytesOf(own),
    open,
    taken: taken?.name ?? null,
  };
}

/** Whether an index finds what the reader index would find. */
function does({ simple, columns, predicate }: IndexRow, index: ReaderIndex): boolean {
  return simple && columns.join() === index.columns.join() && predicate === (index.where ?? null);
}
