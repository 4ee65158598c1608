// What the page is made of, as the build made it, and as it is served.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { assetRoutes, loadAssets } from "../../src/web/assets.js";
import { createHandler } from "../../src/web/handle.js";
import { ask } from "./scene.js";

const kept = "public, max-age=31536000, immutable";

test("the built page is one script and one style, each named by its content, and names no other place", () => {
  const assets = loadAssets();
  assert.deepEqual(assets.map(({ name }) => name.replace(/-\w+\./, ".")).sort(), ["app.css", "app.js"]);
  for (const { name, body } of assets) {
    assert.match(name, /^app-[A-Z0-9]{8}\.(js|css)$/);
    // The names of XML's languages are no places.
    assert.deepEqual(
      [...body.matchAll(/https?:\/\/[^"'`)\s]+/g)].flatMap(([url]) =>
        url.startsWith("http://www.w3.org/") ? [] : [url],
      ),
      [],
    );
    assert.doesNotMatch(body, /@import|url\((?!data:)/);
  }
});

test("they are served with their types, under the strict policy, to be kept for ever; other names are nothing", async (t) => {
  const assets = loadAssets();
  const server = createServer(
    createHandler({
      routes: assetRoutes(assets),
      hosts: [],
      token: "",
      onAnswered() {},
      onError: assert.fail,
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const at = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const { name, body } of assets) {
    const { status, headers, text } = await ask(at, { path: `/page/${name}` });
    assert.equal(status, 200);
    assert.equal(text, body);
    assert.equal(
      headers["content-type"],
      `text/${name.endsWith(".js") ? "javascript" : "css"}; charset=utf-8`,
    );
    assert.equal(headers["cache-control"], kept);
    assert.equal(headers["x-content-type-options"], "nosniff");
    assert.match(String(headers["content-security-policy"]), /^default-src 'none'/);
  }
  for (const path of ["/page/", "/page/page.key", "/page/LICENSES.txt", "/page/app.js"])
    assert.equal((await ask(at, { path })).status, 404, path);
});
