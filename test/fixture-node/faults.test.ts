// Every fault and wrong answer of the fixture node, as a client sees it.
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import type { Mutation } from "../../bench/fixture-node/protocol.js";
import { startFixture } from "../support/fixture.js";

interface Receipt {
  blockHash: string;
  logsBloom: string;
  transactionHash: string;
  logs: { logIndex: string; data: string }[];
}

interface Block {
  number: string;
  hash: string;
  transactions: { gas: unknown }[];
}

const NUMBER = 20;
const AT = `0x${NUMBER.toString(16)}`;
const fixture = await startFixture({ transactions: 6, head: 40 });

after(() => fixture.stop());
beforeEach(async () => {
  await fixture.clearFaults();
  await fixture.resetCounters();
});

test("a healthy endpoint answers what is expected", async () => {
  const { block, receipts } = await fixture.expected(NUMBER);
  assert.deepEqual(await result("eth_getBlockByNumber", [AT, true]), block);
  assert.deepEqual(await result("eth_getBlockByHash", [block.hash, true]), block);
  for (const which of [AT, block.hash, { blockHash: block.hash }]) {
    assert.deepEqual(await result("eth_getBlockReceipts", [which]), receipts);
  }
});

test("an answer waits for the latency", async () => {
  await fixture.setFaults({ latencyMs: 80, jitterMs: 10 });
  const started = performance.now();
  await result("eth_chainId");
  assert.ok(performance.now() - started >= 79);
});

test("calls over the rate are refused with 429 and Retry-After", async () => {
  await fixture.setFaults({ rateLimit: { perSecond: 0, answer: 429, retryAfterSeconds: 3 } });
  const response = await post({ method: "eth_chainId" });
  assert.equal(response.status, 429);
  assert.equal(response.headers.get("retry-after"), "3");
});

test("calls over the rate are refused with -32005, one by one", async () => {
  await fixture.setFaults({ rateLimit: { perSecond: 2, answer: -32005 } });
  const answers = (await batch(3)) as { error?: { code: number } }[];
  assert.deepEqual(
    answers.map(({ error }) => error?.code),
    [undefined, undefined, -32005],
  );
});

test("a share of the calls fails", async () => {
  await fixture.setFaults({ errors: { rate: 0.5, answer: -32000 } });
  const answers = (await batch(100)) as { error?: { code: number } }[];
  const failed = answers.filter((answer) => answer.error?.code === -32000).length;
  assert.ok(failed > 20 && failed < 80, `${failed} failed`);
  await fixture.setFaults({ errors: { rate: 1, answer: 500 } });
  assert.equal((await post({ method: "eth_chainId" })).status, 500);
});

test("an endpoint that is down refuses, then listens again at its port", async () => {
  await fixture.setFaults({ down: "refused" });
  assert.equal(await causeOfFailure(), "ECONNREFUSED");
  await fixture.clearFaults();
  assert.equal(await result("eth_chainId"), "0x1");
});

test("an endpoint may reset its connections", async () => {
  await fixture.setFaults({ down: "reset" });
  assert.match(await causeOfFailure(), /ECONNRESET|UND_ERR_SOCKET/);
});

test("a request that hangs was received", async () => {
  await fixture.setFaults({ hang: ["eth_getBlockReceipts"] });
  const abort = new AbortController();
  const hanging = post({ method: "eth_getBlockReceipts", params: [AT] }, abort.signal);
  await fixture.waitForCalls({ method: "eth_getBlockReceipts", count: 1 });
  assert.equal(await result("eth_chainId"), "0x1");
  abort.abort();
  await assert.rejects(hanging, { name: "AbortError" });
});

test("a slow call takes no wrong answer that was ordered after it came", async () => {
  await fixture.setFaults({ latencyMs: 200 });
  const slow = result("eth_chainId");
  await fixture.waitForCalls({ method: "eth_chainId", count: 1 });
  await fixture.mutate({ kind: "error", code: -32000, message: "ordered", method: "eth_chainId", count: 1 });
  assert.equal(await slow, "0x1");
  assert.equal((await error("eth_chainId")).message, "ordered");
});

test("an endpoint may lack methods and tags", async () => {
  await fixture.setFaults({ lacks: ["eth_getBlockReceipts", "finalized"] });
  assert.equal((await error("eth_getBlockReceipts", [AT])).code, -32601);
  assert.equal((await error("eth_getBlockByNumber", ["finalized", false])).code, -32000);
  assert.ok(await result("eth_getBlockByNumber", ["latest", false]));
  assert.equal((await error("eth_mystery")).code, -32601);
});

test("a batch may be too large", async () => {
  await fixture.setFaults({ batchLimit: 2 });
  assert.equal(((await batch(3)) as { error: { code: number } }).error.code, -32600);
  assert.equal(((await batch(2)) as unknown[]).length, 2);
});

test("an endpoint may be of another chain", async () => {
  await fixture.setFaults({ chainId: 5 });
  assert.deepEqual([await result("eth_chainId"), await result("net_version")], ["0x5", "5"]);
});

test("faults and lag belong to one endpoint", async () => {
  const { endpoint, url } = await fixture.addEndpoint({ faults: { headLag: 4 } });
  assert.equal(await result("eth_blockNumber"), "0x28");
  assert.equal(await result("eth_blockNumber", [], url), "0x24");
  const { hash } = (await fixture.canonical(38, 38))[0] ?? {};
  assert.equal(await result("eth_getBlockByHash", [hash, false], url), null);
  assert.equal(await result("eth_getBlockByNumber", ["0x26", false], url), null);
  assert.equal((await fixture.counters(endpoint)).calls.eth_blockNumber, 1);
});

test("an endpoint may stay on another branch", async () => {
  await fixture.fork({ branch: "elsewhere", depth: 3, length: 4 });
  const { url } = await fixture.addEndpoint({ faults: { branch: "elsewhere" } });
  assert.equal(await result("eth_blockNumber", [], url), "0x29");
  const here = (await result("eth_getBlockByNumber", ["0x27", false])) as Block;
  const there = (await result("eth_getBlockByNumber", ["0x27", false], url)) as Block;
  assert.notEqual(here.hash, there.hash);
});

test("a result may be null, missing, or of another id", async () => {
  await order({ method: "eth_getBlockByNumber", block: NUMBER, kind: "null-result" });
  assert.ok(await result("eth_getBlockByNumber", ["0x13", false]));
  assert.equal(await result("eth_getBlockByNumber", [AT, false]), null);
  assert.ok(await result("eth_getBlockByNumber", [AT, false]), "the order is used up");
  await order({ method: "*", kind: "missing-result" });
  assert.deepEqual(await (await post({ method: "eth_chainId" })).json(), { jsonrpc: "2.0", id: 1 });
  await order({ method: "*", kind: "wrong-id" });
  assert.equal(((await (await post({ method: "eth_chainId" })).json()) as { id: number }).id, 1_000_001);
  await order({ method: "*", kind: "error", code: -32001, message: "pruned" });
  assert.deepEqual(await error("eth_chainId"), { code: -32001, message: "pruned" });
});

test("a body may be cut, not JSON, or HTML", async () => {
  await order({ method: "*", kind: "truncated-json" });
  await assert.rejects(result("eth_getBlockByNumber", [AT, true]), SyntaxError);
  await order({ method: "*", kind: "not-json" });
  assert.match(await (await post({ method: "eth_chainId" })).text(), /^upstream/);
  await order({ method: "*", kind: "html-502" });
  const response = await post({ method: "eth_chainId" });
  assert.equal(response.status, 502);
  assert.match(await response.text(), /^<html>/);
});

test("a body may be huge, and its reader may go away", async () => {
  await order({ method: "*", kind: "huge-body", bytes: 3_000_000, count: 2 });
  assert.equal((await (await post({ method: "eth_chainId" })).text()).length, 3_000_000 + 36);
  const response = await post({ method: "eth_chainId" });
  await response.body?.cancel();
  assert.equal(await result("eth_chainId"), "0x1");
});

test("a result may be nested deeply", async () => {
  await order({ method: "*", kind: "deep-nesting", depth: 1_000 });
  assert.match(await (await post({ method: "eth_chainId" })).text(), /\[{1000}\]{1000}/);
});

test("a log may be dropped, in the open or hidden", async () => {
  const { receipts } = (await fixture.expected(NUMBER)) as unknown as { receipts: Receipt[] };
  const count = receipts.flatMap(({ logs }) => logs).length;
  await order({ method: "eth_getBlockReceipts", kind: "drop-log" });
  const open = await receiptsNow();
  assert.equal(logIndexes(open).length, count - 1);
  assert.equal(logIndexes(open)[0], 1);
  assert.equal(open[0]?.logsBloom, receipts[0]?.logsBloom);
  await order({ method: "eth_getBlockReceipts", kind: "drop-log", hidden: true, index: 1 });
  const hidden = await receiptsNow();
  assert.deepEqual(
    logIndexes(hidden),
    Array.from({ length: count - 1 }, (_, i) => i),
  );
  assert.notEqual(hidden[0]?.logsBloom, receipts[0]?.logsBloom);
  assert.equal(hidden[1]?.logsBloom, receipts[1]?.logsBloom);
});

test("a log's byte may change, and a receipt be dropped", async () => {
  const { receipts } = (await fixture.expected(NUMBER)) as unknown as { receipts: Receipt[] };
  await order({ method: "eth_getBlockReceipts", kind: "change-log-byte" });
  const changed = await receiptsNow();
  const data = (list: Receipt[]) => list.flatMap(({ logs }) => logs.map((log) => log.data));
  assert.equal(data(changed).filter((item, i) => item !== data(receipts)[i]).length, 1);
  await order({ method: "eth_getBlockReceipts", kind: "drop-receipt" });
  assert.deepEqual(await receiptsNow(), receipts.slice(1));
});

test("an answer may come from another branch or be about another number", async () => {
  await fixture.fork({ branch: "other", depth: 30, length: 30 });
  const { receipts } = await fixture.expected(NUMBER, "other");
  await order({ method: "eth_getBlockReceipts", kind: "other-branch", branch: "other" });
  assert.deepEqual(await receiptsNow(), receipts);
  await order({ method: "eth_getBlockByNumber", kind: "other-number", offset: 1 });
  assert.equal(((await result("eth_getBlockByNumber", [AT, false])) as Block).number, "0x15");
});

test("a named field may hold anything, or be gone", async () => {
  await order({ method: "eth_getBlockByNumber", kind: "set", path: "transactions[0].gas", value: -1 });
  assert.equal(((await result("eth_getBlockByNumber", [AT, true])) as Block).transactions[0]?.gas, -1);
  await order({ method: "eth_getBlockReceipts", kind: "set", path: "[1].logs" });
  assert.equal("logs" in ((await receiptsNow())[1] ?? {}), false);
});

test("a batch may be out of order or lack an answer", async () => {
  await order({ method: "*", kind: "batch-out-of-order" });
  assert.deepEqual(ids(await batch(3)), [3, 2, 1]);
  await order({ method: "*", kind: "batch-missing" });
  assert.deepEqual(ids(await batch(3)), [1, 2]);
  assert.deepEqual(ids(await batch(3)), [1, 2, 3]);
});

test("calls, batches and bytes are counted", async () => {
  await batch(3);
  const text = await (await post({ method: "eth_getBlockByNumber", params: [AT, true] })).text();
  const { httpRequests, batches, calls, bytesSent } = await fixture.counters();
  assert.deepEqual(
    { httpRequests, batches, calls },
    {
      httpRequests: 2,
      batches: 1,
      calls: { eth_chainId: 3, eth_getBlockByNumber: 1 },
    },
  );
  assert.ok(bytesSent > text.length);
  assert.deepEqual(await fixture.calls({ method: "eth_getBlockByNumber" }), [
    { endpoint: 0, method: "eth_getBlockByNumber", params: [AT, true] },
  ]);
});

function order(mutation: Mutation): Promise<void> {
  return fixture.mutate(mutation, 0);
}

function post(
  call: { method: string; params?: unknown[] },
  signal: AbortSignal | null = null,
): Promise<Response> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, params: [], ...call });
  return fetch(fixture.url, { method: "POST", body, signal });
}

async function batch(size: number): Promise<unknown> {
  const calls = Array.from({ length: size }, (_, i) => ({
    jsonrpc: "2.0",
    id: i + 1,
    method: "eth_chainId",
  }));
  return (await fetch(fixture.url, { method: "POST", body: JSON.stringify(calls) })).json();
}

async function answer(method: string, params: unknown[], url: string) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const response = await fetch(url, { method: "POST", body });
  return (await response.json()) as { result?: unknown; error?: { code: number; message: string } };
}

async function result(method: string, params: unknown[] = [], url = fixture.url): Promise<unknown> {
  return (await answer(method, params, url)).result;
}

async function error(method: string, params: unknown[] = []): Promise<{ code: number; message: string }> {
  const { error } = await answer(method, params, fixture.url);
  assert.ok(error);
  return error;
}

async function receiptsNow(): Promise<Receipt[]> {
  return (await result("eth_getBlockReceipts", [AT])) as Receipt[];
}

async function causeOfFailure(): Promise<string> {
  const failure = await post({ method: "eth_chainId" }).catch((error: unknown) => error);
  assert.ok(failure instanceof TypeError);
  return (failure.cause as { code: string }).code;
}

function logIndexes(receipts: Receipt[]): number[] {
  return receipts.flatMap(({ logs }) => logs.map(({ logIndex }) => Number(logIndex)));
}

function ids(answers: unknown): number[] {
  return (answers as { id: number }[]).map(({ id }) => id);
}

test("another chain takes the place of the endpoint's, after every connection was closed, and gives it back", async () => {
  const { block } = await fixture.expected(NUMBER);
  await fixture.setFaults({ otherChain: 5 });
  assert.equal(await result("eth_chainId"), "0x5");
  const other = (await result("eth_getBlockByNumber", [AT, false])) as Block;
  assert.equal(other.number, AT);
  assert.notEqual(other.hash, block.hash);
  assert.equal(((await result("eth_getBlockByNumber", ["latest", false])) as Block).number, "0x28");
  await fixture.clearFaults();
  assert.equal(await result("eth_chainId"), "0x1");
  assert.equal(((await result("eth_getBlockByNumber", [AT, false])) as Block).hash, block.hash);
});
