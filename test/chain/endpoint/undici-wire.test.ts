// What becomes of connections: which are used again, which request is sent again, and that giving up leaves none.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { HttpRequestError, TimeoutError } from "viem";
import { createUndiciWire } from "../../../src/chain/endpoint/undici-wire.js";
import type { Wire } from "../../../src/chain/endpoint/wire.js";
import { failureOf } from "../open-endpoints.js";

const call = { method: "eth_chainId", params: [] };
const patient = { timeoutMs: 60_000 };
const answer = (id: number): string => `{"jsonrpc":"2.0","id":${id},"result":"0x1"}`;

/** Listens until the test ends; every connection that was made to it. */
async function listen(t: TestContext, server: Server): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

/** However it is closed: by a reset too. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  });
}

function openWire(t: TestContext, url: string): Wire {
  const wire = createUndiciWire({ url, name: "a", maxResponseBytes: 1_000_000 });
  t.after(() => wire.close());
  return wire;
}

async function serve(t: TestContext, listener: RequestListener) {
  const { port, sockets } = await listen(t, createServer(listener));
  return { wire: openWire(t, `http://127.0.0.1:${port}`), sockets };
}

const silentStates: [string, "http" | "https", (socket: Socket) => void][] = [
  ["whose TLS handshake is not answered", "https", () => {}],
  ["that is not answered", "http", () => {}],
  [
    "in the middle of an answer",
    "http",
    (socket) =>
      socket.once("data", () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"json')),
  ],
];
for (const [state, protocol, onConnection] of silentStates) {
  for (const how of ["abort", "timeout"] as const) {
    test(`the ${how} of a request ${state} closes its connection`, async (t) => {
      const server = createTcpServer();
      const heard: Promise<void>[] = [];
      server.on("connection", (socket) => {
        heard.push(new Promise((resolve) => socket.once("data", () => resolve())));
        onConnection(socket);
      });
      const { port, sockets } = await listen(t, server);
      const wire = openWire(t, `${protocol}://127.0.0.1:${port}`);
      for (let round = 1; round <= 3; round += 1) {
        const controller = new AbortController();
        const options = how === "abort" ? { ...patient, signal: controller.signal } : { timeoutMs: 300 };
        const failures = [1, 2, 3, 4].map(() => failureOf(wire.send(call, options)));
        while (sockets.length < 4 * round) await once(server, "connection");
        if (how === "abort") {
          await Promise.all(heard);
          controller.abort(new Error("given up"));
        }
        for (const failure of await Promise.all(failures)) {
          if (how === "abort") assert.equal(failure.message, "given up");
          else assert(failure instanceof TimeoutError, String(failure));
        }
        await Promise.all(sockets.map(closeOf));
      }
      assert.equal(sockets.length, 12);
    });
  }
}

test("closing the wire fails what is out and closes every connection", async (t) => {
  const server = createTcpServer();
  const { port, sockets } = await listen(t, server);
  const wire = openWire(t, `http://127.0.0.1:${port}`);
  const failures = [1, 2].map(() => failureOf(wire.send(call, patient)));
  while (sockets.length < 2) await once(server, "connection");
  const closed = sockets.map((socket) => closeOf(socket.resume()));
  wire.close();
  for (const failure of await Promise.all(failures)) {
    assert(failure instanceof HttpRequestError);
    assert.equal(failure.details, "closed");
  }
  await Promise.all(closed);
});

test("requests one after another go over one connection, and those at a time over one each", async (t) => {
  const waiting: (() => void)[] = [];
  let together = 1;
  let id = 0;
  const { wire, sockets } = await serve(t, (request, response) => {
    request.resume().on("end", () => {
      id += 1;
      const text = answer(id);
      waiting.push(() => response.end(text));
      if (waiting.length === together) for (const send of waiting.splice(0)) send();
    });
  });
  for (let i = 0; i < 3; i += 1) assert.deepEqual(await wire.send(call, patient), { result: "0x1" });
  assert.equal(sockets.length, 1);
  together = 3;
  const answers = [1, 2, 3].map(() => wire.sendForBytes?.(call, patient));
  assert.equal((await Promise.all(answers)).length, 3);
  assert.equal(sockets.length, 3);
});

test("a request that meets a kept connection as the server closes it is sent again on a new one", async (t) => {
  const seen: number[] = [];
  const { wire, sockets } = await serve(t, (request, response) => {
    const connection = sockets.indexOf(request.socket);
    const isReused = seen.includes(connection);
    seen.push(connection);
    if (isReused) request.socket.destroy();
    else request.resume().on("end", () => response.end(answer(seen.length === 1 ? 1 : 2)));
  });
  await wire.send(call, patient);
  assert.deepEqual(await wire.send(call, patient), { result: "0x1" });
  assert.deepEqual(seen, [0, 0, 1]);
});

test("a request that fails on a new connection is not sent again", async (t) => {
  let requests = 0;
  const { wire } = await serve(t, (request) => {
    requests += 1;
    request.socket.destroy();
  });
  const failure = await failureOf(wire.send(call, patient));
  assert(failure instanceof HttpRequestError);
  assert.equal(failure.details, "other side closed");
  assert.equal(requests, 1);
});

test("a kept connection that the server has closed is not used again", async (t) => {
  const { wire, sockets } = await serve(t, (request, response) => {
    request.resume().on("end", () => response.end(answer(sockets.length)));
  });
  await wire.send(call, patient);
  const [first] = sockets;
  assert(first !== undefined);
  const closed = closeOf(first);
  first.end();
  await closed;
  await wire.send(call, patient);
  assert.equal(sockets.length, 2);
});

test("an answer that closes its connection is followed by one on another", async (t) => {
  const { wire, sockets } = await serve(t, (request, response) => {
    response.setHeader("connection", "close");
    request.resume().on("end", () => response.end(answer(sockets.length)));
  });
  for (let i = 0; i < 3; i += 1) await wire.send(call, patient);
  assert.equal(sockets.length, 3);
});

test("an interim answer is not the answer", async (t) => {
  const { wire } = await serve(t, (request, response) => {
    response.writeEarlyHints({ link: "</>; rel=preload" });
    request.resume().on("end", () => response.end(answer(1)));
  });
  assert.deepEqual(await wire.send(call, patient), { result: "0x1" });
});
