import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { ConfigError } from "../../src/errors.js";
import { listenForControl } from "../../src/supervisor/control.js";
import { blockmill, type Ended } from "./blockmill.js";

/** `blockmill reload` inside of a service whose daemon answers as `answer` does; without it, none is there. */
async function reload(t: TestContext, answer?: () => Promise<void>): Promise<Ended> {
  const directory = await mkdtemp(path.join(tmpdir(), "blockmill-runtime-"));
  const close = answer === undefined ? () => {} : listenForControl({ directory, reload: answer });
  t.after(async () => {
    close();
    await rm(directory, { recursive: true });
  });
  return blockmill(["reload"], { RUNTIME_DIRECTORY: directory });
}

test("a reload that the daemon has done says nothing, and needs no configuration", async (t) => {
  let reloads = 0;
  const ended = await reload(t, async () => {
    reloads += 1;
  });
  assert.deepEqual([ended, reloads], [{ code: 0, stdout: "", stderr: "" }, 1]);
});

test("one that failed ends as a wrong configuration does, with the daemon's reason", async (t) => {
  const ended = await reload(t, () => Promise.reject(new ConfigError("rpc.urls: expected a URL")));
  assert.deepEqual(ended, {
    code: 78,
    stdout: "",
    stderr: "blockmill: the reload failed: rpc.urls: expected a URL\n",
  });
});

test("a daemon that does not answer is unavailable; outside of a service it is a mistake", async (t) => {
  const { code, stderr } = await reload(t);
  assert.equal(code, 69);
  assert.match(stderr, /^blockmill: the daemon does not answer/);
  const outside = await blockmill(["reload"], { RUNTIME_DIRECTORY: undefined });
  assert.equal(outside.code, 2);
  assert.match(outside.stderr, /systemctl reload blockmill@NAME/);
});
