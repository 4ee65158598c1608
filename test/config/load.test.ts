import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConfigInput, loadConfig } from "../../src/config/load.js";
import { listKeys } from "../../src/config/schema.js";
import { secretsOf } from "../../src/config/secrets.js";
import { createRedact } from "../../src/redact.js";

const load = (input: Partial<ConfigInput> = {}) => loadConfig({ env: {}, ...input });
const set = (path: string, text: string) => load({ flags: [{ path, flag: "--set", text }] }).config;

test("every key has a meaning, an environment variable that follows its name, and a default that fits", () => {
  for (const { path, doc, env, default: byDefault, format } of listKeys()) {
    assert.match(doc, /^[A-Z].*[.]$/, path);
    assert.equal(env, `BLOCKMILL_${path.toUpperCase().replace(".", "_")}`);
    assert.doesNotThrow(() => format(byDefault), path);
  }
});

test("the text of a flag or a variable becomes what the key's format says", () => {
  assert.equal(set("pipeline.workers", "7").pipeline.workers, 7);
  assert.equal(set("pipeline.check_interval", "0.5").pipeline.check_interval, 0.5);
  assert.equal(set("pipeline.auto_enqueue", "false").pipeline.auto_enqueue, false);
  assert.equal(set("chain.start_block", "null").chain.start_block, null);
  assert.equal(set("chain.start_block", "0").chain.start_block, 0);
  assert.deepEqual(set("rpc.urls", "http://a:1, http://b:2 http://c:3").rpc.urls, [
    "http://a:1",
    "http://b:2",
    "http://c:3",
  ]);
  const { config } = load({ env: { BLOCKMILL_PIPELINE_AUTO_ENQUEUE: "0" } });
  assert.equal(config.pipeline.auto_enqueue, false);
});

test("a value that does not fit is refused with the key, its place and what was expected", () => {
  const refused: [path: string, text: string, message: RegExp][] = [
    [
      "pipeline.workers",
      "0",
      /^pipeline\.workers \(--set\): expected a whole number from 1 to 256, "auto", or \{"min": 2, "max": 8\}, got 0$/,
    ],
    ["pipeline.workers", "1.5", /got 1\.5$/],
    ["pipeline.workers", "", /got ""$/],
    ["pipeline.auto_enqueue", "yes", /expected true or false, got "yes"$/],
    ["log.level", "loud", /expected one of trace, debug, info, warn, error, fatal, got "loud"$/],
    ["database.schema", "a;drop", /expected a name of at most 48 letters/],
    ["chain.start_block", "-1", /expected a whole number from 0 to \d+, or null, got -1$/],
  ];
  for (const [path, text, message] of refused) assert.throws(() => set(path, text), { message });
});

test("a value that a later layer replaces is checked all the same", () => {
  const env = { BLOCKMILL_PIPELINE_WORKERS: "many" };
  const flags = [{ path: "pipeline.workers", flag: "--workers", value: 3 }];
  assert.throws(
    () => load({ env, flags }),
    /^ConfigError: pipeline\.workers \(\$BLOCKMILL_PIPELINE_WORKERS\)/,
  );
});

test("a secret that does not fit is not repeated", () => {
  for (const [path, text] of [
    ["database.url", "mysql://u:hunter2hunter2@h/d"],
    ["rpc.urls", "ftp://node.example/hunter2hunter2"],
    ["rpc.urls", "hunter2hunter2"],
  ] as const) {
    assert.throws(
      () => set(path, text),
      (error: Error) => error.message.includes(path) && !error.message.includes("hunter2"),
    );
  }
});

test("variables of other programs are left alone, and a mistyped BLOCKMILL_ one is not", () => {
  assert.doesNotThrow(() => load({ env: { PIPELINE_WORKERS: "x", BLOCKMILL_TEST_ANYTHING: "x" } }));
  assert.throws(
    () => load({ env: { BLOCKMILL_WORKERS: "3" } }),
    /\$BLOCKMILL_WORKERS: there is no such setting/,
  );
});

test("the secrets of a configuration are taken out of any text", () => {
  const config = load({
    flags: [
      { path: "database.url", flag: "--set", text: "postgresql://u:p%40ssw0rd@h/d" },
      { path: "rpc.urls", flag: "--set", text: "https://n.example/v2/k3yk3yk3yk3y?token=t0kent0ken" },
    ],
  }).config;
  const redact = createRedact(secretsOf(config));
  const text = redact("p%40ssw0rd p@ssw0rd k3yk3yk3yk3y t0kent0ken postgresql://u:p%40ssw0rd@h/d");
  assert.ok(!/ssw0rd|k3yk3y|t0ken/.test(text), text);
});
