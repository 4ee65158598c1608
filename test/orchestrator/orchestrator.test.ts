// The election of one schema's orchestrator, and what its supervisor hears of it.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Doing } from "../../src/child/doing.js";
import type { ChildState } from "../../src/child/messages.js";
import type { ChildContext } from "../../src/child/run-child.js";
import { ConfigError } from "../../src/errors.js";
import { Counts } from "../../src/metrics/counts.js";
import { runOrchestrator } from "../../src/orchestrator/orchestrator.js";
import { waitFor } from "../support/process.js";
import { configOf, silent, useWorld } from "./scene.js";
import { type ScriptedChain, scriptChain } from "./scripted-chain.js";

const world = useWorld();

function run(
  t: TestContext,
  name: string,
  {
    chain = scriptChain({ head: 5, transactions: 0 }),
    eager = true,
  }: { chain?: ScriptedChain; eager?: boolean } = {},
) {
  const config = configOf({
    "chain.start_block": 0,
    "pipeline.check_interval": 0.1,
    "pipeline.auto_enqueue": eager,
  });
  const applicationName = `blockmill ${name}`;
  const draining = new AbortController();
  const said: { state: ChildState; doing: Doing<"orchestrator"> | undefined }[] = [];
  const context: ChildContext<"orchestrator"> = {
    settings: { config, workerId: `${name}/o1`, pool: { min: 0, max: 2 }, rpcShare: 1 },
    log: silent,
    redact: (text) => text.replaceAll("administrator", "[secret]"),
    draining: draining.signal,
    stopping: draining.signal,
    lease: { holds: () => true, wait: async () => {} },
    report: (state, doing) => said.push({ state, doing }),
    gauge() {},
    counts: new Counts(),
    gauges() {},
    look: () => Promise.reject(new Error("nobody answers")),
    onPulse() {},
    announce() {},
    onAnnounced() {},
    onShare() {},
    onSuspect() {},
  };
  const done = runOrchestrator({
    pool: world.pool,
    dependents: world.dependents,
    endpoints: chain.endpoints,
    config,
    log: silent,
    connection: {
      url: world.url,
      schema: "public",
      applicationName,
      connectTimeoutMs: 10_000,
      statementTimeoutMs: 30_000,
    },
    context,
    onHint() {},
  });
  // A test that expects its failure looks at it.
  done.catch(() => {});
  const stop = async (): Promise<void> => {
    draining.abort();
    await done.catch(() => {});
  };
  t.after(stop);
  const state = () => said.at(-1)?.state;
  const leads = () => waitFor(() => state() === "leading", { what: `${name} to lead` });
  return { done, stop, said, state, leads, applicationName };
}

const enqueued = () =>
  waitFor(async () => Object.keys(await world.statuses()).length === 6, { what: "the chain to be followed" });

test("one leads, and follows the chain; when it ends, another does", async (t) => {
  const first = run(t, "a");
  await first.leads();
  await enqueued();
  const second = run(t, "b");
  await waitFor(() => second.state() === "following", { what: "the second to stand" });
  await first.stop();
  assert.deepEqual([...new Set(first.said.map(({ state }) => state))], ["following", "leading"]);
  await second.leads();
});

test("a leader that loses its session says so and why, without secrets, and stands again", async (t) => {
  const only = run(t, "a");
  await only.leads();
  const before = only.said.length;
  await world.pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and application_name = $1`,
    [`${only.applicationName} lead`],
  );
  const lost = await waitFor(() => only.said.slice(before).find(({ state }) => state === "following"), {
    what: "the loss",
  });
  assert.match(lost.doing?.reason ?? "", /\[secret\]/);
  await only.leads();
});

test("one that does not follow the head gives way to one that does", async (t) => {
  const range = run(t, "range", { eager: false });
  await range.leads();
  const daemon = run(t, "daemon");
  await daemon.leads();
  await waitFor(() => range.state() === "following", { what: "the range to give way" });
});

test("what makes following impossible ends it, and is thrown", async (t) => {
  const chain = scriptChain({ head: 5, transactions: 0 });
  const { tryEach } = chain.endpoints;
  let expected: number | undefined;
  chain.endpoints.expectChain = (id) => {
    expected = id;
  };
  chain.endpoints.tryEach = (work, options) =>
    expected === undefined
      ? tryEach(work, options)
      : Promise.reject(new ConfigError("no endpoint of the chain"));
  await assert.rejects(run(t, "a", { chain }).done, new ConfigError("no endpoint of the chain"));
});

test("a duty that fails is told by its name and reason, and the others go on", async (t) => {
  await world.pool.query(`create function refuse() returns trigger language plpgsql as $$
    begin raise exception 'refused'; end $$`);
  await world.pool.query(
    "create trigger refuse before update on alerts for each statement execute function refuse()",
  );
  t.after(() => world.pool.query("drop function refuse cascade"));
  const only = run(t, "a");
  const failed = await waitFor(() => only.said.find(({ doing }) => doing?.duty !== undefined), {
    what: "a duty to fail",
  });
  assert.equal(failed.state, "leading");
  assert.match(failed.doing?.reason ?? "", /refused/);
  await enqueued();
});
