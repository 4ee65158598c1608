// A socket as a whole: one for all calls, what ends it, and whom its end fails. What a server may say, and which call it
// is taken for: ../ws-messages.test.ts.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { HttpRequestError, SocketClosedError, TimeoutError, WebSocketRequestError } from "viem";
import { type WebSocket, WebSocketServer } from "ws";
import { MalformedAnswerError } from "../../../src/chain/endpoint/match-answers.js";
import type { SubscriptionListener, Wire } from "../../../src/chain/endpoint/wire.js";
import { createWsWire } from "../../../src/chain/endpoint/ws-wire.js";
import { waitFor } from "../../support/process.js";
import { failureOf } from "../open-endpoints.js";

interface Call {
  id: number;
  method: string;
}

const call = { method: "eth_chainId", params: [] };
const patient = { timeoutMs: 60_000 };
const answered = ({ id }: Call, result: unknown = "0x1") => JSON.stringify({ jsonrpc: "2.0", id, result });

/** A wire to a server that does `onCall` with each call. */
async function open(t: TestContext, onCall: (call: Call, socket: WebSocket) => void) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const sockets: WebSocket[] = [];
  server.on("connection", (socket) => {
    sockets.push(socket);
    socket.on("message", (text) => onCall(JSON.parse(String(text)) as Call, socket));
  });
  const received: number[] = [];
  const wire = wireTo(t, (server.address() as AddressInfo).port, (bytes) => received.push(bytes));
  t.after(() => {
    for (const socket of sockets) socket.terminate();
    server.close();
  });
  return { wire, sockets, received };
}

function wireTo(t: TestContext, port: number, onReceived?: (bytes: number) => void): Wire {
  const url = `ws://127.0.0.1:${port}`;
  const wire = createWsWire({ url, name: "node", maxResponseBytes: 1_000, onReceived });
  t.after(() => wire.close());
  return wire;
}

test("the bytes of each answer are told", async (t) => {
  const { wire, received } = await open(t, (each, socket) => socket.send(answered(each, "0x2105")));
  await wire.send(call, patient);
  await wire.send(call, patient);
  const size = answered({ ...call, id: 1 }, "0x2105").length;
  assert.deepEqual(received, [size, size]);
});

test("calls at a time share one socket, and a new one is made when it is gone", async (t) => {
  const { wire, sockets } = await open(t, (each, socket) => socket.send(answered(each)));
  const answers = await Promise.all([wire.send(call, patient), wire.send(call, patient)]);
  assert.deepEqual(answers, [{ result: "0x1" }, { result: "0x1" }]);
  assert.equal(sockets.length, 1);
  sockets[0]?.terminate();
  // The call that meets the end of the socket fails with it; the next one has another.
  await waitFor(
    async () => (await wire.send(call, patient).catch(() => undefined)) !== undefined && sockets.length === 2,
    { what: "another socket" },
  );
});

test("a call that nobody waits for any more leaves the socket to the others, its late answer too", async (t) => {
  const late: (() => void)[] = [];
  const { wire, sockets } = await open(t, (each, socket) => {
    if (each.id <= 2) late.push(() => socket.send(answered(each)));
    else socket.send(answered(each));
  });
  assert((await failureOf(wire.send(call, { timeoutMs: 20 }))) instanceof TimeoutError);
  const end = new AbortController();
  const aborted = failureOf(wire.send(call, { ...patient, signal: end.signal }));
  await waitFor(() => late.length === 2, { what: "both calls" });
  end.abort(new Error("given up"));
  assert.equal((await aborted).message, "given up");
  for (const send of late) send();
  assert.deepEqual(await wire.send(call, patient), { result: "0x1" });
  assert.equal(sockets.length, 1);
});

const endings: [what: string, end: (socket: WebSocket) => void, error: new (...args: never[]) => Error][] = [
  ["that the server closes", (socket) => socket.close(), SocketClosedError],
  ["that says more than it may", (socket) => socket.send("x".repeat(2_000)), WebSocketRequestError],
  ["that says what is no JSON", (socket) => socket.send("{"), MalformedAnswerError],
  [
    "that answers what nobody asked",
    (socket) => socket.send(answered({ id: 99, method: "" })),
    MalformedAnswerError,
  ],
];
for (const [what, end, error] of endings) {
  test(`a socket ${what} fails all that wait on it, and ends its subscriptions`, async (t) => {
    const { wire } = await open(t, (each, socket) => {
      if (each.method === "eth_subscribe") socket.send(answered(each, "0x5"));
      else end(socket);
    });
    const lost: string[] = [];
    const listener: SubscriptionListener = { onMessage() {}, onLost: (reason) => void lost.push(reason) };
    await wire.subscribe?.(["newHeads"], listener, patient);
    const failures = await Promise.all([1, 2].map(() => failureOf(wire.send(call, patient))));
    for (const failure of failures) assert(failure instanceof error, `${failure}`);
    assert.equal(lost.length, 1);
  });
}

test("a subscription hears what is for it alone, until it is ended with its socket", async (t) => {
  let push = (_subscription: string, _result: unknown): void => {};
  const { wire, sockets } = await open(t, (each, socket) => {
    push = (subscription, result) =>
      socket.send(
        JSON.stringify({ jsonrpc: "2.0", method: "eth_subscription", params: { subscription, result } }),
      );
    socket.send(answered(each, "0x5"));
  });
  const heard: unknown[] = [];
  const lost: string[] = [];
  const subscription = await wire.subscribe?.(
    ["newHeads"],
    { onMessage: (result) => void heard.push(result), onLost: (reason) => void lost.push(reason) },
    patient,
  );
  push("0x6", "for another");
  push("0x5", "for this one");
  await waitFor(() => heard.length > 0, { what: "the message" });
  assert.deepEqual(heard, ["for this one"]);
  subscription?.end();
  assert.equal(lost.length, 1);
  await waitFor(() => sockets[0]?.readyState === 3, { what: "the socket's end" });
});

test("a subscription without an id is malformed", async (t) => {
  const { wire } = await open(t, (each, socket) => socket.send(answered(each, { id: 5 })));
  const failure = failureOf(
    wire.subscribe?.(["newHeads"], { onMessage() {}, onLost() {} }, patient) ?? Promise.resolve(),
  );
  assert((await failure) instanceof MalformedAnswerError);
});

test("a silent socket is pinged, and given up when that is not answered", async (t) => {
  let pings = 0;
  const { wire } = await open(t, (_, socket) => {
    socket.on("ping", () => {
      pings += 1;
    });
    // It answers no ping any more, nor anything else.
    (socket as unknown as { _autoPong: boolean })._autoPong = false;
  });
  const failure = await failureOf(wire.send(call, patient));
  assert(failure instanceof WebSocketRequestError, `${failure}`);
  assert.match(failure.message, /silent for/);
  assert(pings > 0);
});

test("closing the wire fails what waits, and no call goes out after it", async (t) => {
  const { wire, sockets } = await open(t, () => wire.close());
  assert((await failureOf(wire.send(call, patient))) instanceof SocketClosedError);
  assert((await failureOf(wire.send(call, patient))) instanceof SocketClosedError);
  assert.equal(sockets.length, 1);
});

test("a server that refuses the upgrade is told of by its status, and when to come back", async (t) => {
  const server = createServer((_, response) => response.writeHead(429, { "retry-after": "7" }).end());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const failure = await failureOf(wireTo(t, (server.address() as AddressInfo).port).send(call, patient));
  assert(failure instanceof HttpRequestError);
  assert.deepEqual([failure.status, failure.headers?.get("retry-after")], [429, "7"]);
});
