// Statements a second while nothing is to be done, with 10 workers, as the server logs them; by whom.

import { readFile, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "../../test/support/process.js";
import { withDaemon } from "../harness/product.js";
import type { BenchDatabase } from "../harness/server.js";
import { figures, interleave, type Suite } from "../harness/suite.js";

const workers = 10;

export const idle: Suite = {
  names: ["idle"],
  async run(bench) {
    const seconds = bench.quick ? 5 : 10;
    const node = await bench.chains.light();
    let byRole = new Map<string, number>();
    const per = (role: string) => async () => (byRole.get(role) ?? 0) / seconds;
    const measured = await interleave(bench, {
      "the whole daemon": async () => {
        const database = await bench.server.database();
        try {
          await database.pool.query(`alter database ${database.name} set log_statement = 'all'`);
          const product = {
            databaseUrl: database.url,
            rpcUrls: [node.url, node.wsUrl],
            config: { pipeline: { workers } },
          };
          byRole = await withDaemon(product, async (daemon) => {
            await daemon.line(/leading: /, { timeoutMs: 120_000 });
            const there = () => everybodyListens(database);
            await waitFor(there, { what: "the workers to listen", timeoutMs: 120_000, everyMs: 100 });
            // Until the head that it found is stored, and everybody sleeps.
            await sleep(5_000);
            return countStatements(bench.server.logFile, seconds);
          });
          return [...byRole.values()].reduce((sum, count) => sum + count, 0) / seconds;
        } finally {
          await database.drop();
        }
      },
      "its workers": per("worker"),
      "its orchestrator": per("orchestrator"),
      "its supervisor": per("supervisor"),
    });
    const order = { benchmark: "idle", unit: "statements/s" };
    return [
      ...figures(measured, { ...order, of: "its workers", target: { atMost: 0 } }),
      ...figures(measured, { ...order, of: "the whole daemon", target: { atMost: 3 } }),
      ...figures(measured, { ...order, of: "its orchestrator" }),
      ...figures(measured, { ...order, of: "its supervisor" }),
    ];
  },
};

async function everybodyListens({ pool }: BenchDatabase): Promise<boolean> {
  const { rows } = await pool.query(
    `select from pg_stat_activity where datname = current_database() and application_name like 'blockmill % listen'`,
  );
  return rows.length >= workers;
}

/** blockmill's statements of the next seconds, by role. */
async function countStatements(logFile: string, seconds: number): Promise<Map<string, number>> {
  const { size } = await stat(logFile);
  await sleep(seconds * 1_000);
  const lines = (await readFile(logFile)).subarray(size).toString().split("\n");
  const counts = new Map<string, number>();
  for (const line of lines) {
    // The application's name stands before the bar: see log_line_prefix.
    const name = /^blockmill ([^|]*)\|LOG: {2}(?:statement|execute [^:]*): /.exec(line)?.[1];
    if (name === undefined) continue;
    const role = /\/w\d/.test(name) ? "worker" : /\/o\d/.test(name) ? "orchestrator" : "supervisor";
    counts.set(role, (counts.get(role) ?? 0) + 1);
  }
  return counts;
}
