// Gzipped answers: asked for where they pay, read within the same limit, and refused when they are broken.
import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { after, beforeEach, type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import type { Mutation } from "../../bench/fixture-node/protocol.js";
import { fetchBlock } from "../../src/chain/endpoint/fetch-block.js";
import { endpointsOf } from "../../src/chain/endpoints.js";
import { BadResponseError, EndpointUnavailableError } from "../../src/errors.js";
import { createLogger } from "../../src/logger.js";
import { startFixture } from "../support/fixture.js";
import { failureOf, openEndpoints } from "./open-endpoints.js";

const wanted = { number: 20, hash: null };
const fixture = await startFixture({ transactions: 6, head: 40, gzip: true });

after(() => fixture.stop());
beforeEach(() => fixture.clearFaults());

test("a gzipped block is the block", async (t) => {
  const [plain] = openEndpoints(t, [fixture.url]).all;
  const [gzipped] = openEndpoints(t, [fixture.url], { compress: true }).all;
  assert(plain !== undefined && gzipped !== undefined);
  assert.deepEqual(await fetchBlock(gzipped, wanted), await fetchBlock(plain, wanted));
});

test("an answer is as large as it is without gzip, and no more than the limit is read", async (t) => {
  // 20 KB on the wire, 20 MB in memory; the limit is 4 MB.
  const mutation = { kind: "huge-body", bytes: 20_000_000, method: "eth_getBlockByNumber", count: 0 };
  await fixture.mutate({ ...mutation, block: wanted.number } as Mutation, 0);
  const alone = openEndpoints(t, [fixture.url], { compress: true });
  const error = await failureOf(alone.tryEach((endpoint) => fetchBlock(endpoint, wanted)));
  assert(error instanceof BadResponseError);
  assert.match(error.message, /within rpc\.max_response_mb/);
});

/** A server that says every time what it is told to say; and what the last request's headers were. */
async function serve(t: TestContext, headers: Record<string, string>, body: Buffer) {
  let asked: IncomingHttpHeaders | undefined;
  const server = createServer((request, response) => {
    asked = request.headers;
    response.writeHead(200, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as { port: number };
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}

const answer = Buffer.from('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
const gzipped = gzipSync(answer);
const flipped = Buffer.from(gzipped);
flipped[gzipped.length - 8] = (flipped[gzipped.length - 8] ?? 0) ^ 1;

test("gzip is asked for where the configuration says so, and else not of http", async (t) => {
  const { url, asked } = await serve(t, {}, answer);
  const log = createLogger({
    component: "test",
    level: "fatal",
    redact: (text) => text,
    output: process.stderr,
  });
  const askedWith = async (settings: object): Promise<unknown> => {
    const rpc = { urls: [{ url, ...settings }], timeout_ms: 2_000, max_response_mb: 1 };
    const endpoints = endpointsOf(rpc, log);
    t.after(() => endpoints.close());
    await endpoints.all[0]?.request("eth_chainId", []);
    return asked()?.["accept-encoding"];
  };
  assert.equal(await askedWith({}), "identity");
  assert.equal(await askedWith({ compress: false }), "identity");
  assert.equal(await askedWith({ compress: true }), "gzip");
});

test("a server that gzips unasked is understood", async (t) => {
  const { url } = await serve(t, { "content-encoding": "gzip" }, gzipped);
  const [endpoint] = openEndpoints(t, [url]).all;
  assert.equal(await endpoint?.request("eth_chainId", []), "0x1");
});

const broken: [string, Record<string, string>, Buffer, RegExp][] = [
  ["cut off", { "content-encoding": "gzip" }, gzipped.subarray(0, -9), /expected gzip, got unexpected end/],
  ["changed", { "content-encoding": "gzip" }, flipped, /expected gzip, got incorrect data check/],
  ["not gzip", { "content-encoding": "gzip" }, answer, /expected gzip, got incorrect header check/],
  ["of another kind", { "content-encoding": "br" }, answer, /expected gzip or none, got br/],
];
for (const [what, headers, body, message] of broken) {
  test(`a compressed answer that is ${what} is a bad answer`, async (t) => {
    const { url } = await serve(t, headers, body);
    const [endpoint] = openEndpoints(t, [url], { compress: true }).all;
    const error = await failureOf(Promise.resolve(endpoint?.request("eth_chainId", [])));
    assert(error instanceof BadResponseError, `${error.name}: ${error.message}`);
    assert.match(error.message, message);
  });
}

test("a connection that is lost in the middle of a gzipped answer is an endpoint that is away", async (t) => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-encoding": "gzip", "content-length": gzipped.length });
    response.write(gzipped.subarray(0, 20), () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  const [endpoint] = openEndpoints(t, [`http://127.0.0.1:${port}`], { compress: true }).all;
  const error = await failureOf(Promise.resolve(endpoint?.request("eth_chainId", [])));
  assert(error instanceof EndpointUnavailableError, `${error.name}: ${error.message}`);
});
