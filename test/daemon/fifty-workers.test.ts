// Fifty workers under one supervisor, on one database: more processes than any machine of ours has cores.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { connectionsOf, spawnStart } from "../support/daemon.js";
import { descendants, waitFor } from "../support/process.js";
import { numbers, setScene } from "./scene.js";

const workers = 50;
/** Two for each worker, and six for the daemon. */
const connections = 2 * workers + 6;
/** Fifty processes load, a core's worth at a time, on a machine that does other things as well. */
const timeoutMs = 500_000;

interface Line {
  msg: string;
  worker?: string;
  role?: string;
}

test("fifty workers load in turn, all come up, none is killed, and a thousand jobs are each done once", async (t) => {
  const scene = await setScene(t, { node: { head: 1_000, transactions: 1, logsPerTransaction: 1 } });
  await scene.insert(1, 1_000);
  const daemon = await spawnStart({
    databaseUrl: scene.databaseUrl,
    rpcUrls: scene.node.urls,
    config: {
      pipeline: { workers, hung_seconds: 300 },
      database: { pool_size: connections, max_overflow: 0, lease_seconds: 60 },
      log: { level: "debug" },
    },
  });
  t.after(async () => {
    await daemon.program.kill("SIGKILL");
    await daemon.remove();
  });
  const said = (): Line[] =>
    daemon.program.output.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : []));
  const ready = () => said().filter(({ msg }) => msg === "a child is ready");

  let mostConnections = 0;
  await waitFor(
    async () => {
      mostConnections = Math.max(mostConnections, (await connectionsOf(scene.pool)).length);
      return ready().length >= workers + 1;
    },
    { what: "all children to be ready", timeoutMs, everyMs: 500 },
  );
  const jobs = await scene.settled();
  const memory = memoryOf([daemon.program.pid, ...descendants(daemon.program.pid)]);
  t.diagnostic(`${memory.processes} processes use ${memory.mb} MB (PSS), and ${mostConnections} connections`);

  assert.ok(mostConnections <= connections, `${mostConnections} connections`);
  assert.equal(jobs.length, 1_000);
  assert.deepEqual(
    jobs.filter(({ attempts, deaths }) => attempts !== 1 || deaths !== 0),
    [],
  );
  await scene.assertWrittenOnce(numbers(1, 1_000));
  let loading = 0;
  let mostLoading = 0;
  for (const { msg } of said()) {
    if (msg === "a child starts") loading += 1;
    if (msg === "a child is ready") loading -= 1;
    mostLoading = Math.max(mostLoading, loading);
    assert.doesNotMatch(msg, /killing it| died /);
  }
  assert.ok(mostLoading <= availableParallelism(), `${mostLoading} children were loading at once`);
  const starts = said().filter(({ msg, role }) => msg === "a child starts" && role === "worker");
  assert.equal(starts.length, workers, "no worker was replaced");
  assert.deepEqual(await daemon.program.kill("SIGTERM"), { code: 0, signal: null });
});

/** What processes use, what they share counted once: https://docs.kernel.org/filesystems/proc.html (smaps_rollup). */
function memoryOf(pids: number[]): { processes: number; mb: number } {
  const kilobytes = pids.map((pid) =>
    Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))?.[1]),
  );
  return { processes: pids.length, mb: Math.round(kilobytes.reduce((a, b) => a + b, 0) / 1_024) };
}
