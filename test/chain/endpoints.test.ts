// Which endpoint gets the work: weights, rests, lag, lies, wrong chains, slowness.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Endpoint } from "../../src/chain/endpoint/endpoint.js";
import { fetchBlock } from "../../src/chain/endpoint/fetch-block.js";
import { fetchHead } from "../../src/chain/endpoint/fetch-head.js";
import type { Endpoints } from "../../src/chain/endpoints.js";
import { VerificationError } from "../../src/chain/verify/verification-error.js";
import {
  BadResponseError,
  BlockNotFoundError,
  BlockUnavailableError,
  ConfigError,
  dispositionOf,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../src/errors.js";
import { startFixture } from "../support/fixture.js";
import { patienceMs, waitFor } from "../support/process.js";
import { failureOf, openEndpoints } from "./open-endpoints.js";

const fixture = await startFixture({ transactions: 3, head: 40, ports: 3 });
const [first = "", second = ""] = fixture.urls;

after(() => fixture.stop());
beforeEach(async () => {
  await fixture.clearFaults();
  await fixture.resetCounters();
});

const nameOf = async (endpoint: Endpoint) => endpoint.name;
const fetchFrom = (endpoints: Endpoints, block: number) =>
  endpoints.tryEach(
    async (endpoint, signal) => {
      await fetchBlock(endpoint, { number: block, hash: null }, signal);
      return endpoint.name;
    },
    { block },
  );

function lie(endpoint: Endpoint, block = 5): VerificationError {
  const facts = { endpoint: endpoint.name, block, field: "receiptsRoot", expected: "0x1", actual: "0x2" };
  return new VerificationError(facts);
}

test("an endpoint is probed once, and what it can is known", async (t) => {
  await fixture.setFaults({ lacks: ["eth_getBlockReceipts", "finalized"], batchLimit: 1 }, 1);
  const endpoints = openEndpoints(t, [first, second]);
  for (let i = 0; i < 10; i += 1) await fetchFrom(endpoints, 10 + i);
  // One was the probe's, two its batch's; each connection that the probe made is asked before it is used for work.
  const asked = await fixture.calls({ method: "eth_chainId", endpoint: 0 });
  assert.ok(asked.length >= 3 && asked.length <= 8, `${asked.length} times`);
  for (let i = 0; i < 10; i += 1) await fetchFrom(endpoints, 20 + i);
  assert.equal((await fixture.calls({ method: "eth_chainId", endpoint: 0 })).length, asked.length);
  const [a, b] = endpoints.status();
  const can = { chainId: 1, safe: true, lowestBlock: 0 };
  assert.deepEqual(a?.capabilities, { ...can, receiptsBy: "hash", finalized: true, batchSize: 100 });
  assert.deepEqual(b?.capabilities, { ...can, receiptsBy: null, finalized: false, batchSize: 1 });
  assert.equal(a?.head, 40);
  await fixture.resetCounters();
  await fetchBlock(endpoints.all[1] as Endpoint, { number: 12, hash: null });
  const { calls, batches } = await fixture.counters(1);
  assert.deepEqual(calls, { eth_getBlockByNumber: 1, eth_getTransactionReceipt: 3 });
  assert.equal(batches, 0);
});

test("an endpoint of another chain is refused for good, with the reason", async (t) => {
  await fixture.setFaults({ chainId: 5 }, 1);
  const endpoints = openEndpoints(t, [first, second], { chainId: 1 });
  for (let i = 0; i < 6; i += 1) assert.equal(await fetchFrom(endpoints, 10), "a");
  const [a, b] = endpoints.status();
  assert.equal(a?.state, "up");
  assert.equal(b?.state, "refused");
  assert.equal(b?.reason, "b serves chain 5, not chain 1");
  await fixture.resetCounters();
  for (let i = 0; i < 6; i += 1) await fetchFrom(endpoints, 10);
  assert.deepEqual((await fixture.counters(1)).calls, {});
});

test("when every endpoint serves another chain, the configuration is wrong", async (t) => {
  const endpoints = openEndpoints(t, [first, second], { chainId: 7 });
  const error = await failureOf(fetchFrom(endpoints, 10));
  assert.ok(error instanceof ConfigError);
  assert.match(error.message, /a serves chain 1, not chain 7; b serves chain 1, not chain 7/);
});

test("without an expected chain the first that answers decides, until one is expected", async (t) => {
  await fixture.setFaults({ chainId: 5 }, 1);
  const endpoints = openEndpoints(t, [first, second]);
  await endpoints.ready("a");
  assert.ok((await failureOf(endpoints.ready("b"))) instanceof EndpointError);
  endpoints.expectChain(9);
  assert.equal(endpoints.status()[0]?.state, "refused");
});

test("when all are down claims can wait for it, and work resumes by itself", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  await fixture.setFaults({ down: "refused" });
  for (let i = 0; i < 4; i += 1) {
    const error = await failureOf(fetchFrom(endpoints, 10));
    assert.ok(error instanceof EndpointUnavailableError, String(error));
    assert.equal(dispositionOf(error), "wait");
  }
  assert.deepEqual(
    endpoints.status().map(({ state }) => state),
    ["resting", "resting"],
  );
  await fixture.clearFaults();
  await waitFor(() => fetchFrom(endpoints, 10).catch(() => undefined), { what: "a block" });
});

test("Retry-After is honoured: the endpoint is not asked before", async (t) => {
  const endpoints = openEndpoints(t, [first]);
  await endpoints.ready("a");
  await fixture.setFaults({ rateLimit: { perSecond: 0, answer: 429, retryAfterSeconds: 2 } });
  const started = Date.now();
  const error = await failureOf(fetchFrom(endpoints, 10));
  assert.ok(error instanceof RateLimitedError);
  assert.equal(error.retryAfterMs, 2_000);
  const [status] = endpoints.status();
  assert.ok((status?.until ?? 0) >= started + 2_000);
  await fixture.clearFaults();
  await fixture.resetCounters();
  assert.match((await failureOf(fetchFrom(endpoints, 10))).message, /a rests: .*429/);
  assert.deepEqual((await fixture.counters()).calls, {});
  await waitFor(() => fetchFrom(endpoints, 10).catch(() => undefined), { what: "a block" });
  assert.ok(Date.now() - started >= 2_000);
});

test("a rate limit that nobody configured is found, and work goes on below it", async (t) => {
  const endpoints = openEndpoints(t, [first]);
  await endpoints.ready("a");
  await fixture.setFaults({ rateLimit: { perSecond: 40, answer: 429 } });
  const started = performance.now();
  let failed = 0;
  let done = 0;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (done < 100) {
        await fetchFrom(endpoints, 20)
          .then(() => (done += 1))
          .catch(async () => {
            failed += 1;
            await sleep(50);
          });
      }
    }),
  );
  // 200 calls at 40 a second take five seconds; the rest is what finding the rate costs.
  t.diagnostic(`${((performance.now() - started) / 1_000).toFixed(1)} s`);
  assert.ok(failed < 40, `${failed} failed`);
});

test("requests_per_second is kept to", async (t) => {
  const endpoints = openEndpoints(t, [first], { requestsPerSecond: 50 });
  const [endpoint] = endpoints.all;
  const started = performance.now();
  await Promise.all(Array.from({ length: 50 }, () => endpoint?.request("eth_chainId", [])));
  // A quarter of a second's worth goes out at once.
  const seconds = (performance.now() - started) / 1_000;
  assert.ok(seconds > 0.7, `${seconds} s`);
});

test("max_in_flight is kept to", async (t) => {
  await fixture.setFaults({ latencyMs: 50 });
  const [endpoint] = openEndpoints(t, [first], { maxInFlight: 2 }).all;
  const started = performance.now();
  await Promise.all(Array.from({ length: 8 }, () => endpoint?.request("eth_chainId", [])));
  assert.ok(performance.now() - started >= 195);
});

test("how long an answer took does not count the wait for its turn", async (t) => {
  await fixture.setFaults({ latencyMs: 100 });
  const [endpoint] = openEndpoints(t, [first], { maxInFlight: 1 }).all;
  const started = performance.now();
  const answers = await Promise.all([1, 2].map(() => endpoint?.requestAnswer("eth_chainId", [])));
  const [, second] = answers.map((answer) => answer?.tookMs ?? 0);
  assert(performance.now() - started - (second ?? 0) >= 99);
  assert((second ?? 0) >= 99);
});

test("when an endpoint is slow, another is asked beside it, and the slow request is given up", async (t) => {
  // Who waits for the one that never answers waits for longer than this test may take.
  const endpoints = openEndpoints(t, [first, second], { timeoutMs: 10 * patienceMs });
  await Promise.all([endpoints.ready("a"), endpoints.ready("b")]);
  for (let i = 0; i < 30; i += 1) await fetchFrom(endpoints, 10);
  await fixture.setFaults({ hang: true }, 0);
  for (let hedged = false; !hedged; ) {
    await fixture.resetCounters();
    assert.equal(await fetchFrom(endpoints, 11), "b");
    hedged = (await fixture.counters(0)).httpRequests > 0;
  }
  assert.equal(endpoints.all[0]?.load.inFlight, 0);
});

test("hedges stay a small part of the work when everything is slow", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  await Promise.all([endpoints.ready("a"), endpoints.ready("b")]);
  for (let i = 0; i < 20; i += 1) await endpoints.tryEach(fetchHead);
  await fixture.setFaults({ latencyMs: 400 });
  await fixture.resetCounters();
  await Promise.all(Array.from({ length: 40 }, () => endpoints.tryEach(fetchHead)));
  // Beside them each new connection is asked for its chain.
  const { eth_getBlockByNumber: looks = 0 } = (await fixture.counters()).calls;
  assert.ok(looks >= 40 && looks <= 44, `${looks} requests for 40 heads`);
});

test("an endpoint that lags is remembered, and asked for older blocks only", async (t) => {
  await fixture.setFaults({ headLag: 5 }, 0);
  const endpoints = openEndpoints(t, [first, second]);
  await Promise.all([endpoints.ready("a"), endpoints.ready("b")]);
  const served = new Set<string>();
  await fixture.resetCounters();
  for (let i = 0; i < 10; i += 1) served.add(await fetchFrom(endpoints, 38));
  assert.deepEqual([...served], ["b"]);
  assert.deepEqual((await fixture.counters(0)).calls, {});
  for (let i = 0; i < 10; i += 1) served.add(await fetchFrom(endpoints, 20));
  assert.deepEqual([...served].sort(), ["a", "b"]);
  assert.deepEqual(
    endpoints.status().map(({ state, lag }) => ({ state, lag })),
    [
      { state: "up", lag: 5 },
      { state: "up", lag: 0 },
    ],
  );
});

test("an endpoint without a block that another one has is said to lag", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  await Promise.all([endpoints.ready("a"), endpoints.ready("b")]);
  for (let asked = false; !asked; ) {
    const name = await endpoints.tryEach(
      async (endpoint) => {
        if (endpoint.name === "b") return endpoint.name;
        asked = true;
        throw new BlockNotFoundError("not there", { endpoint: endpoint.name, block: 30 });
      },
      { block: 30 },
    );
    assert.equal(name, "b");
  }
  assert.match(endpoints.status()[0]?.reason ?? "", /lags: it did not have block 30/);
  assert.equal(endpoints.status()[0]?.state, "up");
  for (let i = 0; i < 6; i += 1) assert.equal(await endpoints.tryEach(nameOf, { block: 31 }), "b");
});

test("a block that nobody has is not found, and nobody rests for it", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  for (let i = 0; i < 5; i += 1) {
    assert.ok((await failureOf(fetchFrom(endpoints, 99))) instanceof BlockNotFoundError);
  }
  assert.ok(endpoints.status().every(({ state }) => state === "up"));
});

test("an endpoint that serves proven-wrong data is put aside, longer every time", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  const work = async (endpoint: Endpoint) => {
    if (endpoint.name === "a") throw lie(endpoint);
    return endpoint.name;
  };
  let before = Date.now();
  while (endpoints.status()[0]?.state === "up") {
    before = Date.now();
    assert.equal(await endpoints.tryEach(work), "b");
  }
  const after = Date.now();
  const [a] = endpoints.status();
  assert.equal(a?.state, "resting");
  assert.match(a?.reason ?? "", /is not proven: receiptsRoot: expected 0x1, got 0x2/);
  const until = a?.until ?? 0;
  assert.ok(until >= before + 5_000 && until <= after + 10_500, `${until - before} ms`);
  const beforeAgain = Date.now();
  endpoints.blame("a", "again");
  endpoints.blame("a", "and again");
  const [again] = endpoints.status();
  assert.ok((again?.until ?? 0) - beforeAgain > 15_000);
  assert.equal(again?.reason, "and again");
});

test("when all say the same wrong thing the block fails, and nobody is put aside", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  const error = await failureOf(endpoints.tryEach(async (endpoint) => Promise.reject(lie(endpoint))));
  assert.ok(error instanceof VerificationError);
  assert.equal(dispositionOf(error), "retry");
  assert.ok(endpoints.status().every(({ state }) => state === "up"));
});

test("a block that one endpoint refuses waits for the word of a dead one, and not for ever", async (t) => {
  const refuse = async (endpoint: Endpoint): Promise<string> => {
    await endpoint.request("eth_chainId", []);
    throw new EndpointError("it cannot serve this block", { endpoint: endpoint.name });
  };
  await fixture.setFaults({ down: "refused" }, 1);
  const patient = openEndpoints(t, [first, second]);
  const waiting = await failureOf(patient.tryEach(refuse));
  assert.ok(waiting instanceof BlockUnavailableError);
  assert.match(waiting.message, /waiting for the word of b, which does not answer \(at most 10 minutes\)/);
  const hasty = openEndpoints(t, [first, second], { noSayAfterMs: 200 });
  await waitFor(async () => (await failureOf(hasty.tryEach(refuse))) instanceof EndpointError, {
    what: "the one that answers to decide",
  });
});

test("history that an endpoint has pruned is not asked of it again", async (t) => {
  const endpoints = openEndpoints(t, [first, second]);
  await Promise.all([endpoints.ready("a"), endpoints.ready("b")]);
  const pruned = { kind: "error", code: 4444, message: "pruned history unavailable", count: 0 } as const;
  for (const method of ["eth_getBlockByNumber", "eth_getBlockReceipts"]) {
    await fixture.mutate({ ...pruned, method, block: 9 }, 0);
  }
  const served = new Set<string>();
  for (let i = 0; i < 4; i += 1) served.add(await fetchFrom(endpoints, 9));
  assert.deepEqual([...served], ["b"]);
  assert.equal(endpoints.status()[0]?.capabilities.lowestBlock, 10);
  await fixture.resetCounters();
  for (let i = 0; i < 6; i += 1) await fetchFrom(endpoints, 8);
  assert.deepEqual((await fixture.counters(0)).calls, {});
  for (let i = 0; i < 6; i += 1) served.add(await fetchFrom(endpoints, 10));
  assert.deepEqual([...served].sort(), ["a", "b"]);
});

test("work ends at once when its signal aborts, also while an endpoint hangs", async (t) => {
  await fixture.setFaults({ hang: true });
  const endpoints = openEndpoints(t, [first]);
  const abort = new AbortController();
  const working = failureOf(endpoints.tryEach(fetchHead, { signal: abort.signal }));
  await fixture.waitForCalls({ method: "eth_chainId", count: 1 });
  abort.abort(new Error("enough"));
  assert.equal((await working).message, "enough");
});

test("a WebSocket alone is enough", async (t) => {
  const endpoints = openEndpoints(t, fixture.wsUrls.slice(0, 1));
  const block = await endpoints.tryEach((endpoint) => fetchBlock(endpoint, { number: 20, hash: null }));
  assert.equal(block.transactions.length, 3);
  await fixture.dropWebSockets();
  await waitFor(() => fetchFrom(endpoints, 21).catch(() => undefined), {
    what: "a block by a new connection",
  });
  // Of this block: an endpoint that was away is probed with others. Twice: what is unclear is asked for again.
  for (const kind of ["wrong-id", "truncated-json"] as const) {
    await fixture.mutate({ kind, method: "eth_getBlockByNumber", block: 21, count: 2 });
    assert.match((await failureOf(fetchFrom(endpoints, 21))).message, /expected (JSON|the id of a call)/);
  }
  assert.equal(await fetchFrom(endpoints, 21), "a");
});

test("an answer over the bound is a bad response on a WebSocket too", async (t) => {
  const [endpoint] = openEndpoints(t, fixture.wsUrls.slice(0, 1), { maxResponseBytes: 1_000 }).all;
  const error = await failureOf(Promise.resolve(endpoint?.request("eth_getBlockByNumber", ["0x14", true])));
  assert.ok(error instanceof BadResponseError);
  assert.match(error.message, /an answer within rpc.max_response_mb/);
  assert.equal(await endpoint?.request("eth_chainId", []), "0x1");
});
