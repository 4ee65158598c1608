// Everything that a real daemon serves under /api.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import path from "node:path";
import { test } from "node:test";
import { reorgsChannel } from "../../src/queue/reorgs.js";
import type {
  AlertsAnswer,
  BlockAnswer,
  ChainAnswer,
  EndpointsAnswer,
  FailureGroupsAnswer,
  FailuresAnswer,
  HistoryAnswer,
  RangesAnswer,
  ReorgsAnswer,
  StatusAnswer,
  WorkersAnswer,
} from "../../src/web/answers.js";
import type { Asset } from "../../src/web/assets.js";
import { createRoutes, type Sources } from "../../src/web/routes.js";
import { setScene } from "../daemon/scene.js";
import { waitFor } from "../support/process.js";
import { projectRoot } from "../support/project.js";
import { addressOf, ask } from "./scene.js";

const token = "0123456789abcdef";
const web = { listen: "127.0.0.1:0", token };

test("docs/OPERATIONS.md lists everything that is served", async () => {
  const page = await readFile(path.join(projectRoot, "docs/OPERATIONS.md"), "utf8");
  const paths = createRoutes({ events: {}, assets: [] as Asset[] } as unknown as Sources).map(
    (route) => route.path,
  );
  assert.deepEqual(
    paths.filter((each) => !page.includes(`${each}\``) && !page.includes(`${each}?`)),
    [],
  );
});

test("the API tells of the daemon, the schema, a block, ranges, failures, endpoints, workers and alerts", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web, pipeline: { max_attempts: 1 } });
  const address = await addressOf(daemon);
  const read = async <T>(path: string): Promise<T> => {
    const { status, text } = await ask(address, { path });
    assert.equal(status, 200, text);
    assert(!text.includes(token));
    return JSON.parse(text) as T;
  };
  await scene.insert(1, 5);
  await scene.settled();
  await scene.pool.query(
    `insert into processing_failures (job_id, block_number, attempt, class, message) values (1, 3, 1, 'retry', 'it said no');
     insert into processing_ranges (from_block, to_block, next_block, priority) values (300, 310, 300, -5)`,
  );
  await scene.pool.query("insert into alerts (kind, message) values ('impossible_blocks', 'look at it')");

  const status = await waitFor(
    async () => {
      const now = await read<StatusAnswer>("/api/status");
      return now.schema?.leader !== null && now.schema !== null && now;
    },
    { what: "a leader", everyMs: 200 },
  );
  assert.equal(status.daemon.supervisorId, daemon.supervisorId);
  assert.deepEqual(status.daemon.children.map(({ role }) => role).sort(), [
    "orchestrator",
    "web",
    "worker",
    "worker",
  ]);
  assert.match(status.sentence, /\.$/);
  assert.equal(status.schemaError, null);

  const block = await read<BlockAnswer>("/api/blocks/3");
  assert.deepEqual([block.number, block.job?.status, block.job?.attempts], [3, "completed", 1]);
  assert.equal(block.stored?.rows.transactions, 2);
  assert.equal(block.failures[0]?.message, "it said no");
  assert.equal(block.why.state, "stored");
  assert.match(block.sentence, /^stored in .* Proven: /);
  const { why, sentence, ...unknown } = await read<BlockAnswer>("/api/blocks/399");
  assert.deepEqual(unknown, { number: 399, job: null, stored: null, failures: [] });
  assert.equal(why.state, "not asked for");
  assert.match(sentence, /^nobody asked for it/);

  const { strip, bounds } = await read<ChainAnswer>("/api/chain?from=1&to=6&parts=3");
  assert.deepEqual([strip?.size, strip?.parts.map((part) => part?.stored)], [2, [2, 2, 1]]);
  assert(bounds !== null && bounds.from <= 1 && bounds.to >= 5);
  assert((await read<ChainAnswer>("/api/chain")).strip !== null);
  for (const [query, says] of [
    ["from=1", /both or neither/],
    ["from=-1&to=2", /are numbers of blocks/],
    ["from=5&to=4", /from \(5\) is above to \(4\)/],
    ["parts=601", /from 1 to 600/],
  ] as const) {
    const { status: code, text } = await ask(address, { path: `/api/chain?${query}` });
    assert.equal(code, 400, query);
    assert.match(text, says);
  }
  const history = await waitFor(
    async () => {
      const now = await read<HistoryAnswer>("/api/history?span=15m");
      return now.samples.length > 0 && now;
    },
    { what: "a sample", everyMs: 500 },
  );
  assert.deepEqual([history.step, history.spanSeconds], [10, 900]);
  assert.equal((await ask(address, { path: "/api/history?span=1y" })).status, 400);
  const { groups } = await waitFor(
    async () => {
      const now = await read<FailureGroupsAnswer>("/api/failures/groups");
      return now.groups.length > 0 && now;
    },
    { what: "the failure", everyMs: 500 },
  );
  assert.deepEqual([groups[0]?.message, groups[0]?.count], ["it said no", 1]);
  assert.deepEqual(await read<ReorgsAnswer>("/api/reorgs"), { reorgs: [] });
  assert((await read<{ bytes: number }>("/api/disk")).bytes > 0);

  const { failures } = await read<FailuresAnswer>("/api/failures?limit=1");
  assert.deepEqual([failures.length, failures[0]?.blockNumber], [1, 3]);
  await scene.pool.query(
    "insert into alerts (kind, message, cleared_at) select 'lag', 'it was behind', now() from generate_series(1, 600)",
  );
  const { alerts, history: past } = await read<AlertsAnswer>("/api/alerts?limit=9999");
  assert.deepEqual([past.length, past.at(-1)?.kind], [500, "lag"]);
  const newest = (await read<AlertsAnswer>("/api/alerts?limit=2")).history;
  assert.deepEqual(
    newest.map(({ kind, message, clearedAt }) => [kind, message, clearedAt === null]),
    Array(2).fill(["lag", "it was behind", false]),
  );
  assert.deepEqual(
    // The leader judges meanwhile, and may raise others.
    alerts.flatMap(({ kind, message }) => (kind === "impossible_blocks" ? [[kind, message]] : [])),
    [["impossible_blocks", "look at it"]],
  );
  const { workers, leader } = await read<WorkersAnswer>("/api/workers");
  assert.equal(leader, daemon.orchestrator().workerId);
  assert.deepEqual(workers.map(({ role }) => role).sort(), [
    "orchestrator",
    "supervisor",
    "web",
    "worker",
    "worker",
  ]);
  const { endpoints } = await waitFor(
    async () => {
      const now = await read<EndpointsAnswer>("/api/endpoints");
      return now.endpoints.length > 0 && now;
    },
    { what: "the endpoints", everyMs: 200 },
  );
  assert.equal(endpoints[0]?.name, new URL(scene.node.urls[0] ?? "").host);
  const ranges = await read<RangesAnswer>("/api/ranges");
  assert(ranges.total.count <= 1 && ranges.ranges.every(({ from }) => from === 300));
});

test("with the token a job is retried and work is paused and resumed, and whoever watches is told", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  const change = async (path: string) => {
    const headers = { origin: `http://${address}`, authorization: `Bearer ${token}` };
    const { status, text } = await ask(address, { path, method: "POST", headers });
    assert.equal(status, 200, text);
    return (JSON.parse(text) as { changed: boolean }).changed;
  };
  const [host = "", port] = address.split(":");
  const [watched] = (await once(get({ host, port, path: "/api/events", agent: false }), "response")) as [
    IncomingMessage,
  ];
  let told = "";
  watched.setEncoding("utf8").on("data", (chunk: string) => {
    told += chunk;
  });
  watched.on("error", () => {});
  await waitFor(() => told.includes("event: status\n"), { what: "a status" });

  assert.deepEqual([await change("/api/pause"), await change("/api/pause")], [true, false]);
  await waitFor(() => told.includes('"pause":{'), { what: "the pause to be told" });
  await scene.pool.query(
    "insert into processing_jobs (block_number, status, attempts) values (7, 'failed', 3)",
  );
  assert.deepEqual([await change("/api/blocks/7/retry"), await change("/api/blocks/8/retry")], [true, false]);
  const [paused] = await scene.jobs();
  assert.deepEqual([paused?.status, paused?.attempts], ["pending", 0]);
  assert.equal(await change("/api/resume"), true);
  const [done] = await scene.settled();
  assert.equal(done?.status, "completed");

  await waitFor(
    async () => {
      await scene.pool.query("select pg_notify($1, '1')", [reorgsChannel("public")]);
      return told.includes("event: reorg\ndata: {}\n\n");
    },
    { what: "a reorg to be told", everyMs: 200 },
  );
  watched.destroy();
});

test("nothing secret leaves: not a node's key, not the database's password, not the token, wherever they were written", async (t) => {
  const scene = await setScene(t);
  const key = "k3yk3yk3yk3yk3y";
  const password = decodeURIComponent(new URL(scene.databaseUrl).password);
  const urls = [...scene.node.urls, `http://127.0.0.1:1/v2/${key}`];
  const daemon = await scene.start({ web, rpc: { urls } });
  const address = await addressOf(daemon);
  const secrets = [key, token, ...(password.length < 4 ? [] : [password])];
  await scene.pool.query(
    `insert into processing_jobs (block_number, status, last_error, result)
       values (3, 'failed', $1, jsonb_build_object('endpoint', $1::text))`,
    [`at ${secrets.join(" ")}`],
  );
  await scene.pool.query(
    "insert into processing_failures (job_id, block_number, attempt, class, message, endpoint) values (1, 3, 1, 'retry', $1, $1)",
    [`at ${secrets.join(" ")}`],
  );
  await scene.pool.query("insert into alerts (kind, message) values ('impossible_blocks', $1)", [
    secrets.join(" "),
  ]);
  await scene.insert(10, 40);
  await scene.settled({ statuses: ["completed", "failed"] });
  for (const path of [
    "/",
    "/metrics",
    "/healthz",
    "/readyz",
    "/api/status",
    "/api/blocks/3",
    "/api/blocks/12",
    "/api/chain",
    "/api/history",
    "/api/ranges",
    "/api/failures",
    "/api/failures/groups",
    "/api/reorgs",
    "/api/disk",
    "/api/endpoints",
    "/api/workers",
    "/api/alerts",
  ]) {
    const { text, headers } = await ask(address, { path });
    for (const secret of secrets)
      assert(!`${text}${JSON.stringify(headers)}`.includes(secret), `${path} tells a secret: ${text}`);
  }
});
