// Where HTTP is listened on, and what one client may take.

import assert from "node:assert/strict";
import { createConnection, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { Logger } from "../../src/logger.js";
import { type Limits, listenForHttp } from "../../src/web/listen.js";
import { waitFor } from "../support/process.js";
import { ask, sendRaw } from "./scene.js";

async function scene(
  t: TestContext,
  { port = 0, limits = {} }: { port?: number; limits?: Partial<Limits> } = {},
) {
  const said: string[] = [];
  const note = (_: unknown, message: string) => said.push(message);
  const listening = listenForHttp({
    address: { host: "127.0.0.1", port },
    directory: undefined,
    handle: (_, response) => response.end("here"),
    log: { info: note, warn: note } as unknown as Logger,
    limits,
  });
  t.after(listening.close);
  await listening.tried;
  return { listening, said, at: () => listening.address ?? assert.fail("it does not listen") };
}

test("an address that is taken is told once, and is had as soon as it is free", async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address() as { port: number };
  const { listening, said } = await scene(t, { port, limits: { retryMs: 5 } });
  assert.equal(listening.address, undefined);
  await new Promise((resolve) => holder.close(resolve));
  await waitFor(() => listening.address !== undefined, { what: "the address" });
  assert.equal((await ask(listening.address ?? "", { path: "/" })).text, "here");
  assert.equal(said.length, 2);
  assert.match(said[0] ?? "", /EADDRINUSE.*give each its own web\.listen/);
});

test("a request whose head does not come is ended, and others are answered meanwhile", async (t) => {
  const { at } = await scene(t, { limits: { headMs: 200, requestMs: 3_600_000, silentMs: 5_000 } });
  const slow = sendRaw(at(), "GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ");
  assert.equal((await ask(at(), { path: "/" })).text, "here");
  assert.match(await slow, /^HTTP\/1\.1 408/);
});

test("a head that is too large is refused", async (t) => {
  const { at } = await scene(t);
  const head = `GET / HTTP/1.1\r\nHost: a\r\nX-Large: ${"x".repeat(20_000)}\r\n\r\n`;
  assert.match(await sendRaw(at(), head), /^HTTP\/1\.1 431/);
});

test("what is no HTTP is refused", async (t) => {
  const { at } = await scene(t);
  assert.match(await sendRaw(at(), "\x16\x03\x01\x02\r\n\r\n"), /^HTTP\/1\.1 400/);
  assert.match(await sendRaw(at(), "GET / HTTP/1.1\r\n\r\n"), /^HTTP\/1\.1 400/);
});

test("of more connections than there may be the last ones are closed, and one that ends makes room", async (t) => {
  const { at } = await scene(t, { limits: { connections: 2 } });
  const [host = "", port] = at().split(":");
  const open: Socket[] = [];
  const connect = async () => {
    const socket = createConnection({ host, port: Number(port) });
    open.push(socket);
    socket.on("error", () => {});
    await new Promise((resolve) => socket.once("connect", resolve));
    return socket;
  };
  t.after(() => {
    for (const each of open) each.destroy();
  });
  const first = await connect();
  await connect();
  const third = await connect();
  await new Promise((resolve) => third.once("close", resolve));
  first.destroy();
  await waitFor(
    async () => {
      try {
        return (await ask(at(), { path: "/" })).text === "here";
      } catch {
        return false;
      }
    },
    { what: "room" },
  );
});
