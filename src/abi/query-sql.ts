import { builtinAbis } from "./builtin-abis.js";
import { type CompiledEvent, compileEvents } from "./compile.js";
import { eventSql } from "./event-sql.js";
import { freeName, quoteName } from "./identifiers.js";
import { SignatureError } from "./signature-error.js";

export interface QueryTable {
  /** As the query has to write it. */
  name: string;
  event: CompiledEvent;
}

/** Tables that a query reads beside its events: an event of such a name gets `_`. */
const chainTables = new Set(
  ["blocks", "transactions", "logs", "withdrawals", "token_transfers"].flatMap((name) => [
    name,
    `${name}_hex`,
  ]),
);

/**
 * The events of a query: each is a signature, or the name of an ABI that blockmill knows, for all of its events.
 * Throws SignatureError.
 */
export function queryTables(events: readonly string[]): QueryTable[] {
  const signatures = events.flatMap((event) => {
    const name = event.trim();
    if (Object.hasOwn(builtinAbis, name)) return builtinAbis[name as keyof typeof builtinAbis];
    if (!name.includes("("))
      throw new SignatureError(
        `${JSON.stringify(event)}: expected a signature, such as "Transfer(address indexed from, address indexed to, uint256 value)", or one of ${Object.keys(builtinAbis).join(", ")}`,
      );
    return [event];
  });
  return compileEvents(signatures).map((event) => ({ name: freeName(event.table, chainTables), event }));
}

/**
 * One SELECT: the user's, for which each event is a table. `not materialized`, so that its conditions reach the indexes of
 * `logs` even where it reads an event twice.
 */
export function querySql(
  tables: readonly QueryTable[],
  { schema, sql }: { schema: string; sql: string },
): string {
  // In a line of its own: what it ends with may be a comment.
  const query = `select * from (\n${sql.replace(/[;\s]+$/, "")}\n) query`;
  if (tables.length === 0) return query;
  const parts = tables.map(
    ({ name, event }) => `${quoteName(name)} as not materialized (\n${eventSql(event, { schema })}\n)`,
  );
  return `with ${parts.join(",\n")}\n${query}`;
}
