// HTTP of a real daemon.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { assertCleanStop, setScene } from "../daemon/scene.js";
import { connectionsOf } from "../support/daemon.js";
import { alive, waitFor } from "../support/process.js";
import { addressOf, ask } from "./scene.js";

const web = { listen: "127.0.0.1:0" };

async function runtimeDirectory(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-web-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("a daemon serves its health, its metrics and a page, and ends in order", async (t) => {
  const scene = await setScene(t);
  const folder = await runtimeDirectory(t);
  const daemon = await scene.start({ web }, { RUNTIME_DIRECTORY: folder });
  const address = await addressOf(daemon);
  await scene.insert(1, 5);
  await scene.settled();
  await waitFor(async () => (await ask(address, { path: "/readyz" })).text === "ready\n", {
    what: "readiness",
  });
  assert.deepEqual((await ask(address, { path: "/healthz" })).text, "ok\n");
  await waitFor(
    async () =>
      /^blockmill_jobs\{status="completed"\} 5$/m.test((await ask(address, { path: "/metrics" })).text),
    { what: "the completed jobs", everyMs: 200 },
  );
  const { text, headers } = await ask(address, { path: "/metrics" });
  assert.match(text, /^blockmill_build_info\{version="[^"]+",node="v\d+[^"]*"\} 1$/m);
  assert.match(String(headers["content-type"]), /^text\/plain; version=0\.0\.4/);
  const page = await ask(address, { path: "/" });
  assert.equal(page.status, 200);
  assert.match(page.text, /<h1>.+<\/h1>/);
  assert.match(page.text, /<script type="module" src="\/page\/app-\w+\.js"><\/script>/);
  // The socket serves the same.
  assert.equal((await ask(path.join(folder, "web"), { path: "/healthz" })).text, "ok\n");
  await assertCleanStop(daemon, scene.pool);
});

test("an address that is taken is a warning: the daemon works, the socket serves, and the address is taken once it is free", async (t) => {
  const scene = await setScene(t);
  const folder = await runtimeDirectory(t);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.after(() => taken.close());
  const { port } = taken.address() as { port: number };
  const daemon = await scene.start({ web: { listen: `127.0.0.1:${port}` } }, { RUNTIME_DIRECTORY: folder });
  const line = JSON.parse(await daemon.program.line(/cannot be listened on/));
  assert.equal(line.level, 40);
  assert.match(line.msg, new RegExp(`web\\.listen: 127\\.0\\.0\\.1:${port} .*EADDRINUSE`));
  assert.equal((await ask(path.join(folder, "web"), { path: "/healthz" })).text, "ok\n");
  await scene.insert(1, 3);
  await scene.settled();
  await assertCleanStop(daemon, scene.pool);
});

test("while nobody looks, the process holds no connection; where it is killed, another one serves", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({ web });
  const address = await addressOf(daemon);
  const held = async () => (await connectionsOf(scene.pool)).filter((name) => /\/h\d+$/.test(name));
  assert.deepEqual(await held(), []);
  await ask(address, { path: "/metrics" });
  assert.equal((await held()).length, 1);
  const first = daemon.children().find(({ role }) => role === "web");
  assert(first !== undefined);
  const from = daemon.program.output.length;
  process.kill(first.pid, "SIGKILL");
  await waitFor(() => !alive(first.pid), { what: "its death" });
  assert.equal((await ask(await addressOf(daemon, from), { path: "/healthz" })).text, "ok\n");
});

test("unless web.listen is set there is no process for it", async (t) => {
  const scene = await setScene(t);
  const daemon = await scene.start({});
  assert.deepEqual(
    daemon.children().filter(({ role }) => role === "web"),
    [],
  );
});
