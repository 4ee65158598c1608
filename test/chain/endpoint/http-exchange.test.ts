// One request and its response. Which connection is used again, and when a request is sent again: undici-wire.test.ts.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { HttpRequestError, ResponseBodyTooLargeError, TimeoutError } from "viem";
import {
  HttpExchange,
  type HttpExchangeOptions,
  StaleConnectionError,
} from "../../../src/chain/endpoint/http-exchange.js";
import { type KeptConnection, KeptConnections } from "../../../src/chain/endpoint/kept-connections.js";
import { MalformedAnswerError } from "../../../src/chain/endpoint/match-answers.js";
import { failureOf } from "../open-endpoints.js";

type Respond = (response: ServerResponse, body: string) => void;

/** A connection to a server that responds as told. */
async function connect(t: TestContext, respond: Respond) {
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    respond(response, body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connections = new KeptConnections(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    connections.close();
    server.closeAllConnections();
    server.close();
  });
  const request = { path: "/", headers: [], body: Buffer.from("asked") };
  const connection = connections.take();
  const exchange = (options: Partial<HttpExchangeOptions> = {}, on: KeptConnection = connection) =>
    new HttpExchange(on, request, { name: "node", maxResponseBytes: 1_000, timeoutMs: 60_000, ...options });
  return { connections, connection, exchange };
}

const textOf = ({ chunks }: { chunks: readonly Buffer[] }): string => Buffer.concat(chunks).toString();

test("a response comes with its status, what it says of a retry, and its bytes; the connection is free again", async (t) => {
  const { connections, connection, exchange } = await connect(t, (response, body) =>
    response.writeHead(429, { "retry-after": "7" }).end(`${body} and answered`),
  );
  const response = await exchange().response;
  assert.deepEqual(
    [response.status, response.retryAfter, textOf(response), response.size],
    [429, "7", "asked and answered", 18],
  );
  assert.equal(connections.take(), connection);
});

test("a gzipped response is counted and given uncompressed, also where it comes in pieces", async (t) => {
  const { exchange } = await connect(t, (response) => {
    const zipped = gzipSync("x".repeat(900));
    response.writeHead(200, { "content-encoding": "gzip" });
    response.write(zipped.subarray(0, 12), () => response.end(zipped.subarray(12)));
  });
  const response = await exchange().response;
  assert.deepEqual([textOf(response), response.size], ["x".repeat(900), 900]);
});

const tooLarge: [string, Respond][] = [
  ["as it is announced", (response) => response.writeHead(200, { "content-length": 1_001 }).write("x")],
  ["as it comes", (response) => response.writeHead(200).write("x".repeat(1_001))],
];
for (const [when, respond] of tooLarge) {
  test(`a response that is larger than it may be is given up ${when}, with its connection`, async (t) => {
    const { connections, connection, exchange } = await connect(t, respond);
    assert((await failureOf(exchange().response)) instanceof ResponseBodyTooLargeError);
    assert.notEqual(connections.take(), connection);
  });
}

test("a response that is larger than it may be when it is uncompressed is given up", async (t) => {
  const zipped = gzipSync("x".repeat(100_000));
  assert(zipped.length < 1_000);
  const { exchange } = await connect(t, (response) =>
    response.writeHead(200, { "content-encoding": "gzip" }).end(zipped),
  );
  assert((await failureOf(exchange().response)) instanceof ResponseBodyTooLargeError);
});

test("another encoding than was asked for, and what is no gzip, are malformed", async (t) => {
  for (const [encoding, body, expected] of [
    ["br", "x", /^content-encoding: expected gzip or none, got br/],
    ["gzip", "x".repeat(100), /^body: expected gzip/],
  ] as const) {
    const { exchange } = await connect(t, (response) =>
      response.writeHead(200, { "content-encoding": encoding }).end(body),
    );
    const failure = await failureOf(exchange().response);
    assert(failure instanceof MalformedAnswerError);
    assert.match(failure.message, expected);
  }
});

test("a request that is not answered fails when its time is up, or as its signal says, and frees no connection", async (t) => {
  const { connections, connection, exchange } = await connect(t, () => {});
  assert((await failureOf(exchange({ timeoutMs: 20 }).response)) instanceof TimeoutError);
  const other = connections.take();
  assert.notEqual(other, connection);
  const end = new AbortController();
  const aborted = failureOf(exchange({ signal: end.signal }, other).response);
  end.abort(new Error("given up"));
  assert.equal((await aborted).message, "given up");
  assert.notEqual(connections.take(), other);
});

test("a connection that is lost without a byte of answer is stale where it was used before, and else an error", async (t) => {
  let isFirst = true;
  const { connection, exchange } = await connect(t, (response) => {
    if (isFirst) response.end("ok");
    else response.socket?.destroy();
    isFirst = false;
  });
  await exchange().response;
  assert((await failureOf(exchange().response)) instanceof StaleConnectionError);
  assert.equal(connection.isReused, true);

  const fresh = await connect(t, (response) => void response.socket?.destroy());
  const failure = await failureOf(fresh.exchange().response);
  assert(failure instanceof HttpRequestError && !(failure instanceof StaleConnectionError));
});

test("a connection that is lost in the middle of an answer is not stale", async (t) => {
  let isFirst = true;
  const { exchange } = await connect(t, (response) => {
    if (isFirst) response.end("ok");
    else
      response.writeHead(200, { "content-length": 10 }).write("x", () => {
        setImmediate(() => response.socket?.destroy());
      });
    isFirst = false;
  });
  await exchange().response;
  const failure = await failureOf(exchange().response);
  assert(failure instanceof HttpRequestError && !(failure instanceof StaleConnectionError), String(failure));
});
