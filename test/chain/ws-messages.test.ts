// What a server may send over a WebSocket, and which call it is taken for.

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { WebSocketServer } from "ws";
import { createEndpoint, type Endpoint } from "../../src/chain/endpoint/endpoint.js";
import {
  BadResponseError,
  EndpointError,
  EndpointUnavailableError,
  RateLimitedError,
} from "../../src/errors.js";
import { failureOf } from "./open-endpoints.js";

interface Call {
  id: number;
  method: string;
}

/** An endpoint whose server sends, at each call, what `answer` makes of it. */
async function openServer(
  t: TestContext,
  answer: (call: Call) => string | Buffer | string[],
): Promise<Endpoint> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (socket) => {
    socket.on("message", (text) => {
      for (const said of [answer(JSON.parse(String(text)) as Call)].flat())
        socket.send(said, { binary: typeof said !== "string" });
    });
  });
  const { port } = server.address() as AddressInfo;
  const endpoint = createEndpoint({
    url: `ws://127.0.0.1:${port}`,
    name: "test",
    timeoutMs: 5_000,
    maxResponseBytes: 1_000_000,
  });
  t.after(() => {
    endpoint.close();
    server.close();
  });
  return endpoint;
}

const usual = (id: unknown, result: string) => `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
const beginnings: Record<string, { answer: (id: number) => string | Buffer; unparsed: boolean }> = {
  "as most servers do": { answer: (id) => usual(id, "[7]"), unparsed: true },
  "in a binary message": { answer: (id) => Buffer.from(usual(id, "[7]")), unparsed: true },
  "with the result first": {
    answer: (id) => `{"result":[7],"id":${id},"jsonrpc":"2.0"}`,
    unparsed: false,
  },
  "with spaces": { answer: (id) => `{ "jsonrpc": "2.0", "id": ${id}, "result": [7] }`, unparsed: false },
  "with error: null beside it": {
    answer: (id) => `{"jsonrpc":"2.0","id":${id},"error":null,"result":[7]}`,
    unparsed: false,
  },
};

for (const [beginning, { answer, unparsed }] of Object.entries(beginnings)) {
  test(`an answer that begins ${beginning} is ${unparsed ? "handed on unparsed" : "parsed at once"}`, async (t) => {
    const endpoint = await openServer(t, ({ id }) => answer(id));
    const answered = await endpoint.requestAnswer("eth_getBlockReceipts", []);
    assert.equal(answered.bytes !== null, unparsed);
    assert.deepEqual(answered.result(), [7]);
    assert.deepEqual(await endpoint.request("eth_getBlockReceipts", []), [7], "where bytes are not wanted");
  });
}

test("answers in another order go to the calls that they are for", async (t) => {
  const calls: Call[] = [];
  const endpoint = await openServer(t, (call) => {
    calls.push(call);
    return calls.length < 3 ? [] : calls.toReversed().map(({ id, method }) => usual(id, `"${method}"`));
  });
  const methods = ["a", "b", "c"];
  const answers = await Promise.all(methods.map((method) => endpoint.requestAnswer(method, [])));
  assert.deepEqual(
    answers.map((each) => each.result()),
    methods,
  );
});

test("an error beside a result is met at once, and slows the endpoint down", async (t) => {
  const endpoint = await openServer(
    t,
    ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":null,"error":{"code":-32005,"message":"slow"}}`,
  );
  const before = endpoint.load.limit;
  assert((await failureOf(endpoint.requestAnswer("eth_getBlockReceipts", []))) instanceof RateLimitedError);
  assert(endpoint.load.limit < before);
});

test("an answer to no call ends the connection, and the next request makes another", async (t) => {
  let answers = 0;
  const endpoint = await openServer(t, ({ id }) => {
    answers += 1;
    return usual(answers === 1 ? id + 1_000 : id, "[7]");
  });
  const lost = await failureOf(endpoint.requestAnswer("eth_getBlockReceipts", []));
  assert(lost instanceof BadResponseError || lost instanceof EndpointUnavailableError, String(lost));
  assert.deepEqual((await endpoint.requestAnswer("eth_getBlockReceipts", [])).result(), [7]);
});

test("an answer without an id is taken for nobody's, unless it is an error", async (t) => {
  const bare = '"jsonrpc":"2.0","id":null,"error":null,"result":"of another"';
  const endpoint = await openServer(t, () => `{${bare}}`);
  assert((await failureOf(endpoint.request("eth_blockNumber", []))) instanceof BadResponseError);
  assert((await failureOf(endpoint.requestBatch("eth_blockNumber", [[], []]))) instanceof BadResponseError);
  const unread = await openServer(
    t,
    () => '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}',
  );
  assert((await failureOf(unread.request("eth_blockNumber", []))) instanceof EndpointError);
});

test("an answer that is cut short is blamed on the endpoint when it is read", async (t) => {
  const endpoint = await openServer(t, ({ id }) => `{"jsonrpc":"2.0","id":${id},"result":[7`);
  const answered = await endpoint.requestAnswer("eth_getBlockReceipts", []);
  assert.throws(() => answered.result(), BadResponseError);
});
