// What can be said of a program that does not end: it is seen once, on a machine that nobody can look into.

import { spawnSync } from "node:child_process";
import pg from "pg";
import { descendants, type Program } from "./process.js";

/** What its database knows, and what it cannot have forgotten. */
const questions = [
  `select pid, application_name, state, wait_event_type, wait_event, pg_blocking_pids(pid) as blocked_by,
     xact_start, state_change, left(query, 200) as query
   from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
  "select * from processing_jobs where status <> 'completed' order by block_number limit 20",
  "select * from processing_ranges order by id",
  "select worker_id, pid, state, seen_at, doing from processing_workers",
  "select * from processing_head",
  "select * from reorgs order by id desc limit 5",
  `select number, encode(hash, 'hex') as hash, encode(parent_hash, 'hex') as parent
   from blocks order by number desc limit 10`,
];

/** Its lines so far, its processes, and what goes on in its database. */
export async function describeStuck(program: Program, databaseUrl: string | undefined): Promise<string> {
  const pids = [program.pid, ...descendants(program.pid)].join(",");
  const columns = "pid,ppid,stat,etimes,time,wchan:24,args";
  const { stdout: processes } = spawnSync("ps", ["-o", columns, "-p", pids], {
    encoding: "utf8",
    timeout: 10_000,
  });
  const database = databaseUrl === undefined ? [] : await askDatabase(databaseUrl);
  return ["it said:", ...program.output, processes, ...database].join("\n");
}

async function askDatabase(connectionString: string): Promise<string[]> {
  const client = new pg.Client({
    connectionString,
    application_name: "blockmill-test",
    connectionTimeoutMillis: 10_000,
    query_timeout: 10_000,
  });
  try {
    await client.connect();
    const answers: string[] = [];
    for (const question of questions) {
      const { rows } = await client.query(question);
      answers.push(...rows.map((row) => JSON.stringify(row)));
    }
    return answers;
  } catch (error) {
    return [`its database does not tell: ${error}`];
  } finally {
    await client.end().catch(() => {});
  }
}
