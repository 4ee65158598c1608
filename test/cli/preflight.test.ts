import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { after, beforeEach, test } from "node:test";
import { checkEndpoints, checkPlace, checkSessions, provePlace } from "../../src/cli/preflight.js";
import { openSession } from "../../src/cli/session.js";
import { ConfigError, DatabaseUnavailableError } from "../../src/errors.js";
import { useQueue } from "../queue/queue-database.js";
import { startFixture } from "../support/fixture.js";

const queue = useQueue();
const node = await startFixture({ head: 20 });
after(() => node.stop());
beforeEach(() => node.clearFaults());

const none = "http://127.0.0.1:1";

/** A session of these endpoints, and what it logs. */
function open({ urls = [node.url], databaseUrl = queue.url } = {}) {
  const output = new PassThrough();
  const set = [`database.url=${databaseUrl}`, `rpc.urls=${urls.join()}`];
  return { session: openSession({ set }, output), logged: () => String(output.read() ?? "") };
}

const holds = (chainId: number) =>
  queue.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values ($1, 0, 0, sha256(''), now())`,
    [chainId],
  );

test("the chain is that of the schema, or else of the first endpoint that tells", async () => {
  const seen = { chainId: 1, head: null };
  assert.deepEqual(await checkEndpoints(open({ urls: [none, node.url] }).session, queue.pool), seen);
  await holds(1);
  assert.deepEqual(await checkEndpoints(open({ urls: [none] }).session, queue.pool), seen);
});

test("an endpoint that is down is logged and left to the workers; where all are, nobody can tell", async () => {
  const { session, logged } = open({ urls: [none] });
  assert.deepEqual(await checkEndpoints(session, queue.pool), { chainId: null, head: null });
  assert.match(logged(), /this endpoint does not answer yet/);
});

test("an endpoint of another chain than the schema's is a wrong configuration", async () => {
  await holds(5);
  await assert.rejects(checkEndpoints(open().session, queue.pool), ConfigError);
  await assert.rejects(provePlace(open().session), ConfigError);
});

test("what keeps a daemon from working is a wrong configuration, with the statement that mends it", async (t) => {
  await checkSessions(open().session, queue.pool);
  await queue.rows("alter table processing_jobs disable trigger processing_jobs_inserted");
  t.after(() => queue.rows("alter table processing_jobs enable trigger processing_jobs_inserted"));
  await assert.rejects(
    checkSessions(open().session, queue.pool),
    (error) => error instanceof ConfigError && /processing_jobs_inserted/.test(error.message),
  );
});

test("a person who asks is told how many endpoints cannot be reached, and what cannot be reached at all", async () => {
  assert.deepEqual(await provePlace(open({ urls: [node.url, none] }).session), { unreached: 1 });
  const away = open({ databaseUrl: "postgresql://127.0.0.1:1/none" });
  await assert.rejects(provePlace(away.session), DatabaseUnavailableError);
});

test("a daemon waits for a database that is away, and not for one that refuses it", async () => {
  const away = open({ databaseUrl: "postgresql://someone:hunter2hunter2@127.0.0.1:1/none" });
  await checkPlace(away.session);
  assert.match(away.logged(), /the database cannot be reached yet/);
  assert.doesNotMatch(away.logged(), /hunter2/);
  const refused = new URL(queue.url);
  refused.pathname = "/no_such_database";
  await assert.rejects(checkPlace(open({ databaseUrl: refused.href }).session), DatabaseUnavailableError);
});

test("whether a reorg was missed is not known while no endpoint answers, which stops no daemon", async () => {
  await holds(1);
  const { session, logged } = open({ urls: [none] });
  await checkPlace(session);
  assert.match(logged(), /whether the chain was reorganised meanwhile is not known yet/);
});
