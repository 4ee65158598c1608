// A supervisor in this process, with its real children. What a daemon does is tested in test/daemon.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ConfigError } from "../../src/errors.js";
import { type Supervisor, startSupervisor } from "../../src/supervisor/supervisor.js";
import { configOf, silent } from "../orchestrator/scene.js";
import { useQueue } from "../queue/queue-database.js";
import { startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";

const queue = useQueue();

/** A supervisor of two workers, whose node is never there. */
function start(t: TestContext, wanted: Record<string, unknown> = {}): Supervisor {
  const config = configOf({
    "database.url": queue.url,
    "rpc.urls": ["http://127.0.0.1:1"],
    "log.level": "fatal",
    ...wanted,
  });
  config.pipeline.workers = (wanted["pipeline.workers"] as number | undefined) ?? 2;
  const supervisor = startSupervisor({
    config,
    version: "1.2.3",
    log: silent,
    redact: (text) => text,
    outputFd: 2,
  });
  t.after(async () => {
    supervisor.stop();
    await supervisor.ended;
  });
  return supervisor;
}

const registered = async (id: string) =>
  (
    await queue.rows<{ role: string }>(
      "select role from processing_workers where supervisor_id = $1 order by role, worker_id",
      [id],
    )
  ).map(({ role }) => role);

test("it forks its children, registers them, and leaves nothing when they have drained", async (t) => {
  const supervisor = start(t);
  const all = ["orchestrator", "supervisor", "worker", "worker"];
  await waitFor(async () => (await registered(supervisor.id)).join() === all.join(), { what: "the rows" });
  await waitFor(() => supervisor.snapshot().databaseAwayMs === undefined, { what: "the lease" });
  const { phase, workers, well } = supervisor.snapshot();
  assert.deepEqual({ phase, wanted: workers.wanted, well }, { phase: "working", wanted: 2, well: true });
  supervisor.drain();
  assert.equal(supervisor.snapshot().phase, "draining");
  assert.deepEqual(await supervisor.ended, { fatal: undefined });
  assert.deepEqual(await registered(supervisor.id), []);
});

test("connections that do not suffice are a wrong configuration, and nothing is started", (t) => {
  assert.throws(
    () => start(t, { "database.pool_size": 2, "database.max_overflow": 0 }),
    (error) => error instanceof ConfigError && error.facts.key === "database.pool_size",
  );
});

test("a database that is away is waited for", async (t) => {
  const supervisor = start(t, { "database.url": "postgres://127.0.0.1:1/none" });
  const { databaseSays } = await waitFor(
    () => {
      const seen = supervisor.snapshot();
      return seen.databaseSays !== undefined && seen;
    },
    { what: "the refusal" },
  );
  assert.match(databaseSays ?? "", /ECONNREFUSED|refused/);
  assert.equal(supervisor.snapshot().phase, "working");
  supervisor.stop();
  assert.deepEqual(await supervisor.ended, { fatal: undefined });
});

test("a child that finds that no work is possible ends all of it, with its reason", async (t) => {
  const node = await startFixture({ head: 20 });
  t.after(() => node.stop());
  await queue.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (5, 0, 0, sha256(''), now())`,
  );
  const { fatal } = await start(t, { "rpc.urls": [node.url] }).ended;
  assert.match(fatal ?? "", /^rpc\.urls: .*chain 5/);
});
