import type { ClientBase } from "pg";

export interface Scan {
  table: string;
  bytes: number;
}

/** A node of EXPLAIN's JSON: https://www.postgresql.org/docs/current/sql-explain.html */
interface PlanNode {
  "Node Type": string;
  "Startup Cost": number;
  "Total Cost": number;
  "Relation Name"?: string;
  Schema?: string;
  Plans?: PlanNode[];
}

/** The tables that PostgreSQL would read from their beginning to their end, and how much of each; partitions singly. */
export async function estimateScans(client: ClientBase, sql: string): Promise<Scan[]> {
  const { rows } = await client.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>({
    text: `explain (format json, verbose) ${sql}`,
    queryMode: "extended",
  } as never);
  const plan = rows[0]?.["QUERY PLAN"][0].Plan;
  if (plan === undefined) return [];
  const parts = scannedParts(plan);
  const sizes = await client.query<{ bytes: string }>(
    `select pg_relation_size(format('%I.%I', s, t)::regclass) as bytes
     from unnest($1::text[], $2::text[]) with ordinality as u (s, t, i) order by i`,
    [parts.map(({ schema }) => schema), parts.map(({ table }) => table)],
  );
  return parts.map(({ table, part }, index) => ({
    table,
    bytes: Math.round(Number(sizes.rows[index]?.bytes ?? 0) * part),
  }));
}

/** What is read whole. `part`: how much of it, where a LIMIT ends the reading sooner. */
export function scannedParts(node: PlanNode, part = 1): { schema: string; table: string; part: number }[] {
  const { "Relation Name": table, Schema: schema = "public", Plans: plans = [] } = node;
  const own = /Seq Scan$/.test(node["Node Type"]) && table !== undefined ? [{ schema, table, part }] : [];
  return [
    ...own,
    ...plans.flatMap((below) =>
      scannedParts(below, node["Node Type"] === "Limit" ? part * limitedPart(node, below) : part),
    ),
  ];
}

/** What a LIMIT leaves of the cost below it: what is spent before the first row is spent in any case. */
function limitedPart(limit: PlanNode, below: PlanNode): number {
  const whole = below["Total Cost"];
  return whole > 0 ? Math.min(1, limit["Total Cost"] / whole) : 1;
}
