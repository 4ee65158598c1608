// What every request passes: real requests to a handler of two routes.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { createHandler, type HandlerOptions, plain } from "../../src/web/handle.js";
import { ask, type Request, sendRaw } from "./scene.js";

const token = "0123456789abcdef";

async function scene(t: TestContext, options: Partial<HandlerOptions> = {}) {
  const errors: unknown[] = [];
  const answered: string[] = [];
  const handle = createHandler({
    routes: [
      { path: "/metrics", method: "GET", anyHost: true, answer: async () => plain(200, "metrics") },
      { path: "/page/NAN.js", method: "GET", answer: async () => plain(200, "a name") },
      {
        path: "/api/blocks/N",
        method: "GET",
        answer: async ({ number, query }) => plain(200, `${number} ${query.get("limit")}`),
      },
      {
        path: "/api/blocks/N/retry",
        method: "POST",
        answer: async ({ number }) => plain(200, `retry ${number}`),
      },
      { path: "/broken", method: "GET", answer: () => Promise.reject(new Error("secret inside")) },
    ],
    hosts: ["Blocks.example"],
    token: "",
    onAnswered: (path) => answered.push(path),
    onError: (error) => errors.push(error),
    ...options,
  });
  const server = createServer(handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { at, errors, answered, get: (request: Request) => ask(at, request) };
}

test("a path is taken as it was sent: what is no route of its own is nothing", async (t) => {
  const { get, at } = await scene(t);
  const status = async (path: string) => (await get({ path })).status;
  assert.equal(await status("/api/blocks/12?limit=3"), 200);
  assert.equal((await get({ path: "/api/blocks/12?limit=3" })).text, "12 3\n");
  assert.equal((await get({ path: "/page/NAN.js" })).text, "a name\n");
  for (const path of [
    "/page/1A1.js",
    "/api/../metrics",
    "/./metrics",
    "//metrics",
    "/metrics/",
    "/METRICS",
    "/%6detrics",
    "/api/blocks/",
    "/api/blocks/-1",
    "/api/blocks/1e3",
    "/api/blocks/12/../13",
    "/api/blocks/9999999999999999",
    "/..%2f..%2fetc/passwd",
  ])
    assert.equal(await status(path), 404, path);
  assert.match(
    await sendRaw(at, "GET http://evil.example/metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"),
    /^HTTP\/1\.1 404/,
  );
});

test("only localhost, IP addresses and web.hosts are answered, but for what probes and scrapers ask", async (t) => {
  const { get, at } = await scene(t);
  const status = async (host: string, path = "/api/blocks/1") =>
    (await get({ path, headers: { host } })).status;
  for (const host of [
    "localhost",
    "localhost:9464",
    "127.0.0.1",
    "[::1]:9464",
    "10.0.0.7",
    "blocks.example:443",
  ])
    assert.equal(await status(host), 200, host);
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "blocks.example.evil",
    "[::1].evil.example",
    "evil@localhost",
  ])
    assert.equal(await status(host), 421, host);
  assert.match(await sendRaw(at, "GET /api/blocks/1 HTTP/1.1\r\nHost:\r\n\r\n"), /^HTTP\/1\.1 421/);
  assert.equal(await status("evil.example", "/metrics"), 200);
  assert.equal(await status("evil.example", "/nothing"), 421);
});

test("every answer forbids to be framed, sniffed, kept or read by other sites, and sets no cookie", async (t) => {
  const { get } = await scene(t);
  for (const path of ["/metrics", "/nothing", "/broken"]) {
    const { headers } = await get({ path });
    assert.match(String(headers["content-security-policy"]), /^default-src 'none';.*frame-ancestors 'none'/);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.equal(headers["cross-origin-resource-policy"], "same-origin");
    assert.equal(headers["cache-control"], "no-store");
    assert.equal(headers["access-control-allow-origin"], undefined);
    assert.equal(headers["set-cookie"], undefined);
  }
});

test("a method that a path does not know is refused, and HEAD is GET without a body", async (t) => {
  const { get } = await scene(t);
  const wrong = await get({ path: "/metrics", method: "DELETE" });
  assert.deepEqual([wrong.status, wrong.headers.allow], [405, "GET"]);
  assert.equal((await get({ path: "/api/blocks/1/retry" })).status, 405);
  const head = await get({ path: "/metrics", method: "HEAD" });
  assert.deepEqual([head.status, head.text, head.headers["content-length"]], [200, "", "8"]);
});

test("no body is read", async (t) => {
  const { get, at } = await scene(t);
  assert.equal(
    (await get({ path: "/metrics", method: "GET", body: "x", headers: { "content-length": "1" } })).status,
    413,
  );
  const chunked = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  assert.match(await sendRaw(at, chunked), /^HTTP\/1\.1 413[\s\S]*connection: close/i);
});

test("nothing can be changed while there is no token", async (t) => {
  const { get, at } = await scene(t);
  const headers = { origin: `http://${at}`, authorization: "Bearer " };
  const { status, text } = await get({ path: "/api/blocks/1/retry", method: "POST", headers });
  assert.equal(status, 403);
  assert.match(text, /web\.token is not set/);
});

test("a change needs the token and this page's own origin", async (t) => {
  const { get, at } = await scene(t, { token });
  const own = `http://${at}`;
  const change = async (headers: Record<string, string>) =>
    (await get({ path: "/api/blocks/7/retry", method: "POST", headers })).status;
  const authorization = `Bearer ${token}`;
  assert.equal(await change({ origin: own, authorization }), 200);
  assert.equal(await change({ origin: own, authorization, "sec-fetch-site": "same-origin" }), 200);
  assert.equal(await change({ origin: own, authorization, "sec-fetch-site": "cross-site" }), 403);
  assert.equal(await change({ authorization }), 403);
  assert.equal(await change({ origin: "https://evil.example", authorization }), 403);
  assert.equal(await change({ origin: "null", authorization }), 403);
  assert.equal(await change({ origin: own }), 401);
  assert.equal(await change({ origin: own, authorization: `Bearer ${token.slice(1)}` }), 401);
  assert.equal(await change({ origin: own, authorization: `Bearer ${token}x` }), 401);
  assert.equal(await change({ origin: own, authorization: token }), 401);
  assert.equal(await change({ origin: own, authorization, host: "evil.example" }), 421);
});

test("what goes wrong inside stays inside", async (t) => {
  const { get, errors, answered } = await scene(t);
  const { status, text } = await get({ path: "/broken" });
  assert.equal(status, 500);
  assert.doesNotMatch(text, /secret/);
  assert.match(String(errors[0]), /secret inside/);
  await get({ path: "/api/blocks/1" });
  assert.deepEqual(answered, ["/api/blocks/N"]);
});
