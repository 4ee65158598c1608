import assert from "node:assert/strict";
import { after, beforeEach, type TestContext, test } from "node:test";
import { reachChain } from "../../src/cli/reach-chain.js";
import { openSession } from "../../src/cli/session.js";
import { ConfigError, EndpointUnavailableError } from "../../src/errors.js";
import { useQueue } from "../queue/queue-database.js";
import { startFixture } from "../support/fixture.js";

const queue = useQueue();
const node = await startFixture({ head: 20, ports: 2 });
after(() => node.stop());
beforeEach(() => node.clearFaults());

/** Asks these endpoints, and what was said of those that did not tell. */
async function reach(t: TestContext, urls: string[]) {
  const set = urls.length === 0 ? [] : [`rpc.urls=${urls.join()}`];
  const session = openSession({ set, logLevel: "fatal" }, process.stderr);
  let stderr = "";
  const write = t.mock.method(process.stderr, "write", (text: string) => {
    stderr += text;
    return true;
  });
  try {
    return { ...(await reachChain(session, queue.pool)), stderr };
  } finally {
    write.mock.restore();
  }
}

const none = "http://127.0.0.1:1/hunter2hunter2";

test("the newest block is that of the endpoint that is furthest", async (t) => {
  await node.setFaults({ headLag: 5 }, 1);
  assert.deepEqual(await reach(t, node.urls), { head: 20, unreached: 0, stderr: "" });
});

test("an endpoint that does not tell is told of, without the secret in its URL, and the others suffice", async (t) => {
  const { head, unreached, stderr } = await reach(t, [none, node.url]);
  assert.deepEqual([head, unreached], [20, 1]);
  assert.match(stderr, /^not reachable: .+\n$/);
  assert.doesNotMatch(stderr, /hunter2/);
});

test("where none tells, it is asked again for a few seconds, and that is said", async (t) => {
  await assert.rejects(
    reach(t, [none]),
    (error) =>
      error instanceof EndpointUnavailableError &&
      /^rpc\.urls: no endpoint serves \(asked \d times in .*\): /.test(error.message),
  );
});

test("an outage of a moment ends nothing", async (t) => {
  await node.setFaults({ down: "refused" });
  const reached = reach(t, [node.url]);
  await node.clearFaults();
  assert.equal((await reached).head, 20);
});

test("an endpoint of another chain than the schema holds is a wrong configuration", async (t) => {
  await queue.rows(
    `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time)
     values (5, 0, 0, sha256(''), now())`,
  );
  await assert.rejects(reach(t, [node.url]), ConfigError);
});

test("without endpoints it is said where to put them", async (t) => {
  await assert.rejects(reach(t, []), /rpc\.urls is not set/);
});
