import type { Sql } from "../db/pool.js";
import { fingerprintOf } from "./fingerprint.js";

/** Failed attempts of one kind. */
export interface FailureGroup {
  class: string;
  /** The message without hashes and numbers: what they have in common. */
  fingerprint: string;
  count: number;
  firstAt: Date;
  lastAt: Date;
  newestBlock: number;
  /** The newest message, whole. */
  message: string;
  /** That were blamed, the most blamed first. */
  endpoints: string[];
  /** Of its blocks, those whose job is failed at the moment, among the newest 1,000 of them. */
  stillFailed: number;
  advice: string;
}

const mostRead = 100_000;
const mostBlocks = 1_000;

interface Row {
  class: string;
  message: string;
  endpoint: string | null;
  count: number;
  first: Date;
  last: Date;
  newest: number;
  blocks: number[];
}

// Equal messages are put together by the server: most differ by a block's number only, so not many are left out.
const statement = `
  select class, message, endpoint, count(*)::int as count, min(failed_at) as first, max(failed_at) as last,
    max(block_number) as newest, (array_agg(distinct block_number))[1:${mostBlocks}] as blocks
  from (
    select class, message, endpoint, failed_at, block_number from processing_failures
    where failed_at > clock_timestamp() - $1 * interval '1 second' and block_number between $2 and $3
    order by id desc limit ${mostRead}
  ) as newest
  group by class, message, endpoint`;

/** The failed attempts of the last so many seconds, by what they have in common; what failed most comes first. */
export async function groupFailures(
  sql: Sql,
  {
    withinSeconds,
    from = 0,
    to = Number.MAX_SAFE_INTEGER,
  }: { withinSeconds: number; from?: number; to?: number },
): Promise<FailureGroup[]> {
  const { rows } = await sql.query<Row>(statement, [withinSeconds, from, to]);
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.class} ${fingerprintOf(row.message)}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const found = [...groups.values()].map(toGroup);
  const counted: FailureGroup[] = [];
  for (const { blocks, ...group } of found)
    counted.push({ ...group, stillFailed: await countFailed(sql, blocks) });
  return counted.sort((a, b) => b.count - a.count || b.lastAt.getTime() - a.lastAt.getTime());
}

function toGroup(rows: Row[]): Omit<FailureGroup, "stillFailed"> & { blocks: number[] } {
  const newest = rows.reduce((a, b) => (b.last > a.last ? b : a));
  const byEndpoint = new Map<string, number>();
  for (const { endpoint, count } of rows)
    if (endpoint !== null) byEndpoint.set(endpoint, (byEndpoint.get(endpoint) ?? 0) + count);
  const blocks = [...new Set(rows.flatMap((row) => row.blocks.map(Number)))].sort((a, b) => b - a);
  return {
    class: newest.class,
    fingerprint: fingerprintOf(newest.message),
    count: rows.reduce((sum, { count }) => sum + count, 0),
    firstAt: new Date(Math.min(...rows.map(({ first }) => first.getTime()))),
    lastAt: newest.last,
    newestBlock: Math.max(...rows.map(({ newest: block }) => Number(block))),
    message: newest.message,
    endpoints: [...byEndpoint].sort(([, a], [, b]) => b - a).map(([name]) => name),
    advice: adviceFor(newest.class, newest.message),
    blocks: blocks.slice(0, mostBlocks),
  };
}

async function countFailed(sql: Sql, blocks: readonly number[]): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    "select count(*)::int as count from processing_jobs where block_number = any ($1::bigint[]) and status = 'failed'",
    [blocks],
  );
  return rows[0]?.count ?? 0;
}

/** What a person may do about failures of a class, or in these words. The first that fits holds. */
const advices: { fits(name: string, message: string): boolean; advice: string }[] = [
  {
    fits: (name) => name === "lost",
    advice:
      "Nothing: its host went away, and another took the blocks. If it was not meant to, look at that host.",
  },
  {
    fits: (name, message) => name === "died" && /SIGKILL|memory/i.test(message),
    advice:
      "Memory: journalctl -k | grep -i oom; raise NODE_OPTIONS or MemoryMax (docs/OPERATIONS.md), then blockmill retry --all.",
  },
  {
    fits: (name) => name === "died",
    advice:
      "journalctl -u 'blockmill@*' -p err says how the worker died. If the same block does it again, report it.",
  },
  {
    fits: (name) => name === "unproven",
    advice:
      "The endpoint sent what contradicts itself. Put another one into rpc.urls, take this one out, reload, then blockmill retry --all.",
  },
  {
    fits: (name) => name === "unlinked",
    advice:
      "A reorg near the head mends it by itself. Far below: blockmill verify FROM TO --repair around the block, then blockmill retry.",
  },
  {
    fits: (_, message) => /pruned|history|missing trie|no endpoint keeps/i.test(message),
    advice:
      "No endpoint keeps blocks this old: add an archive node to rpc.urls, reload, then blockmill retry --all.",
  },
  {
    fits: (_, message) => /HTTP status 4(01|03)|unauthori[sz]ed|forbidden|invalid api key/i.test(message),
    advice:
      "The endpoint refuses the key in its URL: correct it in rpc.urls, then systemctl reload blockmill@NAME.",
  },
  {
    fits: (_, message) => /ran longer than|timed? ?out|timeout/i.test(message),
    advice:
      "The endpoint is too slow for these blocks: a nearer one, or a longer rpc.timeout_ms and pipeline.timeout_minutes.",
  },
  {
    fits: (_, message) => /too large|max_response|response size|exceeds/i.test(message),
    advice:
      "The answer is too large for the endpoint or for rpc.max_response_mb: raise it, or ask another endpoint.",
  },
  {
    fits: (name, message) => name === "fatal" || /does not fit|out of range|violates/i.test(message),
    advice:
      "PostgreSQL refuses the block's rows: a constraint or trigger of yours, or a chain that the schema does not fit; the message names it. Report the latter.",
  },
];

/** What to do about a failure. */
export function adviceFor(name: string, message: string): string {
  return (
    advices.find(({ fits }) => fits(name, message))?.advice ??
    "It is tried again by itself. If it goes on, ask another endpoint (rpc.urls), then blockmill retry --all."
  );
}
