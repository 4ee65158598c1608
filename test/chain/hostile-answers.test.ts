// What an endpoint may do wrong, what it is called, and that the next endpoint is asked instead.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, beforeEach, test } from "node:test";
import type { Faults, Mutation, MutationKind } from "../../bench/fixture-node/protocol.js";
import { fetchBlock } from "../../src/chain/endpoint/fetch-block.js";
import type { Endpoints } from "../../src/chain/endpoints.js";
import {
  BadResponseError,
  BlockmillError,
  BlockNotFoundError,
  BlockUnavailableError,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../src/errors.js";
import { startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";
import { failureOf, openEndpoints } from "./open-endpoints.js";

const wanted = { number: 20, hash: null };
const fixture = await startFixture({ transactions: 6, head: 40, ports: 2 });

after(() => fixture.stop());
beforeEach(() => fixture.clearFaults());

/** Fetches the block; resolves with the name of the endpoint that served it. */
function fetchWanted(endpoints: Endpoints): Promise<string> {
  return endpoints.tryEach(async (endpoint) => {
    await fetchBlock(endpoint, wanted);
    return endpoint.name;
  });
}

type ErrorClass = new (...args: never[]) => BlockmillError;

const getBlock = "eth_getBlockByNumber";
const getReceipts = "eth_getBlockReceipts";
const mutations: [MutationKind, string, ErrorClass][] = [
  [{ kind: "wrong-id" }, getBlock, BadResponseError],
  [{ kind: "missing-result" }, getBlock, BadResponseError],
  [{ kind: "null-result" }, getBlock, BlockNotFoundError],
  [{ kind: "truncated-json" }, getBlock, BadResponseError],
  [{ kind: "not-json" }, getBlock, BlockUnavailableError],
  [{ kind: "html-502" }, getBlock, BlockUnavailableError],
  [{ kind: "huge-body", bytes: 20_000_000 }, getBlock, BadResponseError],
  [{ kind: "deep-nesting", depth: 1_000_000 }, getBlock, BadResponseError],
  [{ kind: "deep-nesting", depth: 65 }, getBlock, BadResponseError],
  [{ kind: "many-values", values: 3_000_000 }, getBlock, BadResponseError],
  [{ kind: "error", code: -32000, message: "internal \0 error \ud800" }, getBlock, EndpointError],
  [{ kind: "error", code: -32005, message: "slow" }, getBlock, RateLimitedError],
  [{ kind: "other-number", offset: 1 }, getBlock, BadResponseError],
  [{ kind: "set", path: "number", value: "0x-5" }, getBlock, BadResponseError],
  [{ kind: "set", path: "gasUsed", value: `0x${"f".repeat(400)}` }, getBlock, BadResponseError],
  [{ kind: "set", path: "transactions[0].input", value: "0x\0" }, getBlock, BadResponseError],
  [{ kind: "set", path: "somethingNew", value: "\ud800" }, getBlock, BadResponseError],
  [{ kind: "set", path: "transactions", value: 5 }, getBlock, BadResponseError],
];

for (const [kind, method, expected] of mutations) {
  const what = JSON.stringify(kind).slice(0, 70);
  test(`${what} as the answer to ${method} is a ${expected.name}, and another endpoint serves`, async (t) => {
    const failures: [string, unknown][] = [];
    const endpoints = openEndpoints(t, fixture.urls, {
      onFailure: ({ name }, error) => failures.push([name, error]),
    });
    await Promise.all(endpoints.all.map(({ name }) => endpoints.ready(name)));
    await fixture.mutate({ ...kind, method, block: 20, count: 0 } as Mutation, 0);

    const alone = openEndpoints(t, fixture.urls.slice(0, 1));
    const error = await failureOf(alone.tryEach((endpoint) => fetchBlock(endpoint, wanted)));
    assert.ok(error instanceof expected, `${error.name}: ${error.message}`);
    assert.ok(error instanceof BlockmillError);
    assert.equal(error.facts.endpoint, "a");
    assert.doesNotMatch(error.message, /[\p{Cc}\p{Cs}]/u);

    for (let i = 0; i < 4; i += 1) assert.equal(await fetchWanted(endpoints), "b");
    assert.ok(failures.length > 0 && failures.every(([name]) => name === "a"));
  });
}

const brokenReceipts: MutationKind[] = [
  { kind: "error", code: -32000, message: "failed to find transaction in block" },
  { kind: "error", code: -32008, message: "Response is too big" },
  { kind: "error", code: -32603, message: "Internal error" },
  { kind: "error", code: -32002, message: "request timed out" },
  { kind: "error", code: -32601, message: "the method eth_getBlockReceipts does not exist/is not available" },
  { kind: "null-result" },
  { kind: "missing-result" },
  { kind: "empty-list" },
  { kind: "drop-receipt" },
  { kind: "first-alone" },
  { kind: "other-number", offset: -1 },
  { kind: "wrong-id" },
  { kind: "truncated-json" },
  { kind: "not-json" },
  { kind: "html-502" },
  { kind: "http-500" },
  { kind: "closed" },
  { kind: "huge-body", bytes: 20_000_000 },
  { kind: "deep-nesting", depth: 100_000 },
  { kind: "many-values", values: 3_000_000 },
  { kind: "set", path: "[2].logsBloom", value: "0x12" },
  { kind: "set", path: "[2].transactionHash", value: `0x${"5".repeat(64)}` },
  { kind: "set", path: "[2]", value: null },
];

for (const kind of brokenReceipts) {
  const what = JSON.stringify(kind).slice(0, 90);
  test(`where eth_getBlockReceipts answers ${what} for one block, its receipts are asked for singly`, async (t) => {
    const endpoints = openEndpoints(t, fixture.urls.slice(0, 1));
    await endpoints.ready("a");
    await fixture.mutate({ ...kind, method: getReceipts, block: 20, count: 0 } as Mutation, 0);
    const block = await endpoints.tryEach((endpoint) => fetchBlock(endpoint, wanted));
    const { receipts } = await fixture.expected(20);
    assert.deepEqual(
      block.transactions.map(({ hash, receipt }) => [hash, receipt.logsBloom]),
      receipts.map(({ transactionHash, logsBloom }) => [transactionHash, logsBloom]),
    );
    assert.equal(endpoints.status()[0]?.state, "up");
  });
}

test("a block that is too large for one answer is put together from its transactions", async (t) => {
  const endpoints = openEndpoints(t, fixture.urls.slice(0, 1));
  await endpoints.ready("a");
  const whole = await endpoints.tryEach((endpoint) => fetchBlock(endpoint, wanted));
  const large = { kind: "error", code: -32008, message: "Response is too big" } as const;
  await fixture.mutate({ ...large, method: getBlock, block: 20, count: 1 }, 0);
  assert.deepEqual(await endpoints.tryEach((endpoint) => fetchBlock(endpoint, wanted)), whole);
});

test("a block is asked for by its number where an endpoint takes no hashes, and another one in its place is none", async (t) => {
  const endpoints = openEndpoints(t, fixture.urls.slice(0, 1));
  await fixture.setFaults({ lacks: ["eth_getBlockByHash"] }, 0);
  const { block } = await fixture.expected(20);
  const hash = String(block.hash) as `0x${string}`;
  const fetched = await endpoints.tryEach((endpoint) => fetchBlock(endpoint, { number: 20, hash }));
  assert.equal(fetched.header.hash, hash);
  const other = `0x${"7".repeat(64)}` as const;
  const error = await failureOf(
    endpoints.tryEach((endpoint) => fetchBlock(endpoint, { number: 20, hash: other })),
  );
  assert(error instanceof BlockNotFoundError, String(error));
});

test("a block without transactions needs no receipts, whatever is said of them", async (t) => {
  const node = await startFixture({ transactions: 0, head: 10 });
  t.after(() => node.stop());
  const endpoints = openEndpoints(t, [node.url]);
  await endpoints.ready("a");
  for (const method of [getReceipts, "eth_getTransactionReceipt"])
    await node.mutate({ kind: "error", code: -32000, message: "broken", method, count: 0 });
  const block = await endpoints.tryEach((endpoint) => fetchBlock(endpoint, { number: 7, hash: null }));
  assert.deepEqual([block.header.number, block.transactions], [7, []]);
});

test("an endpoint whose receipts are refused for block after block is asked for them singly from then on", async (t) => {
  const endpoints = openEndpoints(t, fixture.urls.slice(0, 1));
  await endpoints.ready("a");
  await fixture.mutate({ kind: "error", code: -32000, message: "broken", method: getReceipts, count: 0 }, 0);
  const fetchAt = (number: number) =>
    endpoints.tryEach((endpoint) => fetchBlock(endpoint, { number, hash: null }));
  for (const number of [11, 12, 13]) await fetchAt(number);
  await fixture.resetCounters();
  await fetchAt(14);
  const { calls } = await fixture.counters(0);
  assert.equal(calls[getReceipts] ?? 0, 0);
  assert(endpoints.status()[0]?.capabilities.receiptsBy === null);
});

const faults: [string, Faults, ErrorClass, RegExp][] = [
  ["HTTP 500", { errors: { rate: 1, answer: 500 } }, EndpointUnavailableError, /HTTP 500/],
  [
    "a JSON-RPC error to every call",
    { errors: { rate: 1, answer: -32000 } },
    EndpointUnavailableError,
    /header not found/,
  ],
  ["nobody who listens", { down: "refused" }, EndpointUnavailableError, /ECONNREFUSED|ECONNRESET/],
  ["a reset", { down: "reset" }, EndpointUnavailableError, /ECONNRESET/],
  ["no answer in time", { hang: true }, EndpointUnavailableError, /no answer in time/],
  ["HTTP 429", { rateLimit: { perSecond: 0, answer: 429, retryAfterSeconds: 5 } }, RateLimitedError, /429/],
  ["-32005", { rateLimit: { perSecond: 0, answer: -32005 } }, RateLimitedError, /slow down/],
];

for (const [what, fault, expected, message] of faults) {
  test(`${what} is a ${expected.name}; the endpoint rests and says why`, async (t) => {
    const endpoints = openEndpoints(t, fixture.urls, { timeoutMs: 300 });
    await Promise.all(endpoints.all.map(({ name }) => endpoints.ready(name)));
    await fixture.setFaults(fault, 0);
    const alone = openEndpoints(t, fixture.urls.slice(0, 1), { timeoutMs: 300 });
    const error = await failureOf(alone.tryEach((endpoint) => fetchBlock(endpoint, wanted)));
    assert.ok(error instanceof expected, `${error.name}: ${error.message}`);
    assert.match(error.message, message);

    const fetchFrom = () => fetchWanted(endpoints);
    for (let i = 0; i < 20 && endpoints.status()[0]?.state === "up"; i += 1) {
      assert.equal(await fetchFrom(), "b");
    }
    const [status] = endpoints.status();
    assert.equal(status?.state, "resting");
    assert.match(status?.reason ?? "", message);
    assert.ok((status?.until ?? 0) > Date.now());
  });
}

test("an endpoint that was down is probed and used again when it is back", async (t) => {
  const endpoints = openEndpoints(t, fixture.urls);
  await fixture.setFaults({ down: "refused" }, 0);
  const fetchFrom = () => fetchWanted(endpoints);
  for (let i = 0; i < 6; i += 1) assert.equal(await fetchFrom(), "b");
  await fixture.clearFaults();
  await waitFor(async () => (await fetchFrom()) === "a", { what: "the one that is back to be used" });
  assert.equal(endpoints.status()[0]?.state, "up");
});

test("redirects are not followed", async (t) => {
  const server = createServer((_, response) => response.writeHead(307, { location: fixture.url }).end());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const [endpoint] = openEndpoints(t, [`http://127.0.0.1:${port}`]).all;
  assert.match((await failureOf(Promise.resolve(endpoint?.request("eth_chainId", [])))).message, /HTTP 307/);
});

test("the user and password of a URL go out as Basic authentication", async (t) => {
  let seen: string | undefined;
  const server = createServer((request, response) => {
    seen = request.headers.authorization;
    response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const [endpoint] = openEndpoints(t, [`http://us%40er:pa%3Ass@127.0.0.1:${port}`]).all;
  await endpoint?.request("eth_chainId", []);
  assert.equal(Buffer.from(seen?.slice("Basic ".length) ?? "", "base64").toString(), "us@er:pa:ss");
});

test("the answers of a batch are matched by their ids, and what is missing is asked for again", async (t) => {
  const [endpoint] = openEndpoints(t, [fixture.url]).all;
  const { receipts } = await fixture.expected(20);
  const calls = receipts.map(({ transactionHash }) => [transactionHash]);
  const ask = () => Promise.resolve(endpoint?.requestBatch("eth_getTransactionReceipt", calls));
  for (const kind of [
    "batch-out-of-order",
    "batch-missing",
    "wrong-id",
    "truncated-json",
    "closed",
  ] as const) {
    await fixture.mutate({ kind, method: "*", count: 1 }, 0);
    assert.deepEqual(await ask(), receipts, kind);
    endpoint?.learn({ batchSize: 100 });
  }
});
