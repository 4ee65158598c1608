import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import type { Config } from "../../src/config/schema.js";
import { ConfigError } from "../../src/errors.js";
import { checkConfiguration } from "../../src/supervisor/check-configuration.js";
import { writeCode } from "./made-children.js";

/** Lets a release whose program does `code` check a configuration. */
async function check(t: TestContext, code: string): Promise<Config> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-release-"));
  t.after(() => rm(folder, { recursive: true }));
  await writeCode(folder, "src/cli/main.js", code);
  return checkConfiguration({ code: folder, node: process.execPath }, ["start", "--config", "a.json"]);
}

const send = (message: string, code = 0) => `process.send(${message}, () => process.exit(${code}));`;

test("the release checks what the daemon was started with, and sends what it read", async (t) => {
  const config = await check(t, send(`{ type: "checked", config: { args: process.argv.slice(2) } }`));
  assert.deepEqual(config, { args: ["start", "--config", "a.json", "--check"] });
});

test("a message of another type is no configuration", async (t) => {
  await assert.rejects(
    check(t, send(`{ type: "other", config: {} }`)),
    new ConfigError("the configuration could not be checked (exit code 0)"),
  );
});

test("a configuration that the release refuses is refused in its own last words, with or without the journal's priority", async (t) => {
  for (const priority of ["", "<3>"]) {
    const said = `{"msg":"blockmill: no"}\n${priority}blockmill: first\n${priority}blockmill: rpc.urls: expected a URL\n`;
    const code = `process.stderr.write(${JSON.stringify(said)}, () => process.exit(78));`;
    await assert.rejects(check(t, code), new ConfigError("rpc.urls: expected a URL"));
  }
});

test("a release that sent a configuration and failed after that has refused it", async (t) => {
  await assert.rejects(
    check(t, send(`{ type: "checked", config: {} }`, 3)),
    new ConfigError("the configuration could not be checked (exit code 3)"),
  );
});
