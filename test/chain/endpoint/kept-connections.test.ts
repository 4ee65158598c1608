import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { type KeptConnection, KeptConnections } from "../../../src/chain/endpoint/kept-connections.js";
import { waitFor } from "../../support/process.js";

/** Connections to a server that answers everything; its sockets in the order of their opening. */
async function open(t: TestContext) {
  const sockets: Socket[] = [];
  const server = createServer((_, response) => response.end("ok"));
  server.on("connection", (socket: Socket) => sockets.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const connections = new KeptConnections(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => {
    connections.close();
    server.closeAllConnections();
    server.close();
  });
  return { connections, sockets };
}

/** One request on a connection, to its end. */
function ask({ client }: KeptConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    client.dispatch(
      { path: "/", method: "GET" },
      {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd: () => resolve(),
        onResponseError: (_, error) => reject(error),
      },
    );
  });
}

test("a connection that was given back is taken again, the one that was used last first", async (t) => {
  const { connections, sockets } = await open(t);
  const [a, b] = [connections.take(), connections.take()];
  assert.deepEqual([a.isReused, b.isReused], [false, false]);
  await Promise.all([ask(a), ask(b)]);
  a.giveBack();
  b.giveBack();
  assert.equal(connections.take(), b);
  assert.equal(connections.take(), a);
  assert.equal(a.isReused, true);
  await ask(a);
  assert.equal(sockets.length, 2);
});

test("a new one is had where it is asked for, though others are idle", async (t) => {
  const { connections } = await open(t);
  const idle = connections.take();
  await ask(idle);
  idle.giveBack();
  const fresh = connections.take({ isNew: true });
  assert.notEqual(fresh, idle);
  assert.equal(fresh.isReused, false);
});

test("one that was ended is not taken again, whoever gives it back", async (t) => {
  const { connections, sockets } = await open(t);
  const connection = connections.take();
  await ask(connection);
  connection.end();
  connection.giveBack();
  assert.notEqual(connections.take(), connection);
  await waitFor(() => sockets[0]?.destroyed, { what: "the server to hear of its end" });
});

test("an idle one that the server closes is not taken again", async (t) => {
  const { connections, sockets } = await open(t);
  const connection = connections.take();
  await ask(connection);
  connection.giveBack();
  const closed = once(connection.client, "disconnect");
  sockets[0]?.destroy();
  await closed;
  assert.notEqual(connections.take(), connection);
});

test("closing ends all of them, those in use too", async (t) => {
  const { connections, sockets } = await open(t);
  const [idle, used] = [connections.take(), connections.take()];
  await Promise.all([ask(idle), ask(used)]);
  idle.giveBack();
  connections.close();
  await waitFor(() => sockets.length === 2 && sockets.every(({ destroyed }) => destroyed), {
    what: "the server to hear of it",
  });
});
