import { readFileSync } from "node:fs";
import { workerRightsOf } from "./grants.js";

// dist/src/db/archive-strangers.js -> schema.sql
const schemaFile = new URL("../../../schema.sql", import.meta.url);

/** A line of pg_restore's table of contents that is of none of blockmill's things. */
export interface Stranger {
  /** As a person would say it: the function public.f(). */
  what: string;
  line: string;
}

/** What an archive may hold of tables that are ours: it has no code of its own. */
const ofTables = [
  "TABLE DATA",
  "TABLE ATTACH",
  "TABLE",
  "SEQUENCE OWNED BY",
  "SEQUENCE SET",
  "SEQUENCE",
  "CONSTRAINT",
  "CHECK CONSTRAINT",
  "DEFAULT",
  "INDEX ATTACH",
  "INDEX",
  "STATISTICS DATA",
  "VIEW",
];
/** Neither is restored: the schema is made before, and grants are given anew. */
const leftOut = ["SCHEMA", "COMMENT", "ACL", "DEFAULT ACL"];
const kinds = [...ofTables, ...leftOut, "FUNCTION", "TRIGGER"].sort((a, b) => b.length - a.length);

/**
 * The lines of an archive's contents that are neither of a table, view, function nor trigger of schema.sql, nor of a
 * table that the archive's own chain_tables lists (`derived`). Whoever restores runs what the archive defines, as the
 * tables' owner: so what is not known is not restored. An index is its table's, whatever its name.
 */
export function findStrangers(
  contents: readonly string[],
  { schema, derived }: { schema: string; derived: readonly string[] },
): Stranger[] {
  const text = readFileSync(schemaFile, "utf8");
  const named = (pattern: RegExp) => new Set([...text.matchAll(pattern)].map(([, name]) => name));
  const functions = named(/^create or replace function (\w+)\(/gm);
  const triggers = named(/^create or replace trigger (\w+) /gm);
  const tables = new Set(workerRightsOf(derived).keys());
  // A partition has its table's name, and where it begins; a sequence its table's, and its column's.
  const isTable = (name: string): boolean =>
    tables.has(name) ||
    tables.has(name.replace(/_\d+$/, "")) ||
    derived.includes(name.replace(/_hex$/, "")) ||
    tables.has(name.replace(/_id_seq$/, "")) ||
    /^processing_history_\d{8}$/.test(name);
  const isKnown = (kind: string, place: string, name: string): boolean => {
    if (leftOut.includes(kind)) return true;
    if (place !== schema) return false;
    const [first = "", second = ""] = name.split(" ");
    if (kind === "FUNCTION") return functions.has(first.split("(")[0]);
    if (kind === "TRIGGER") return tables.has(first) && triggers.has(second);
    // An index has its own name in the list, and not its table's: it can only be of a table that is there.
    if (kind === "INDEX" || kind === "INDEX ATTACH") return true;
    return ofTables.includes(kind) && isTable(first);
  };
  return contents.flatMap((line) => {
    const entry = /^\d+; \d+ \d+ (.+)$/.exec(line)?.[1];
    if (entry === undefined) return [];
    const kind = kinds.find((each) => entry.startsWith(`${each} `));
    const [place = "", ...rest] = entry.slice(kind === undefined ? 0 : kind.length + 1).split(" ");
    // The owner stands last.
    const name = rest.slice(0, -1).join(" ");
    if (kind !== undefined && isKnown(kind, place, name)) return [];
    return [{ what: kind === undefined ? entry : `the ${kind.toLowerCase()} ${place}.${name}`, line }];
  });
}
