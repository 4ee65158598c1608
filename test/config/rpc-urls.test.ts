// rpc.urls: URLs, or objects that say more.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { secretsOf } from "../../src/config/secrets.js";

const folder = mkdtempSync(path.join(tmpdir(), "blockmill-rpc-urls-"));
const file = path.join(folder, "blockmill.json");

after(() => rmSync(folder, { recursive: true }));

function load(text: string) {
  writeFileSync(file, text);
  return loadConfig({ file, env: {} }).config;
}

/** A file whose endpoints stand on lines 4 and 5. */
const withSecond = (second: string) => `{
  "rpc": {
    "urls": [
      { "url": "http://a.example", "weight": 2 },
      ${second}
    ]
  }
}`;

test("an endpoint is a URL, or an object with a url and limits", () => {
  const object = {
    url: "wss://user:pass@b.example/v3/key4key4key4",
    weight: 0.5,
    requests_per_second: 25,
    max_in_flight: 8,
    batch_size: 50,
    timeout_ms: 4_000,
    log_range: 2_000,
    compress: true,
  };
  const config = load(JSON.stringify({ rpc: { urls: ["https://a.example", object] } }));
  assert.deepEqual(config.rpc.urls, ["https://a.example", object]);
  assert.deepEqual(secretsOf(config).sort(), [
    "key4key4key4",
    "key4key4key4",
    "pass",
    "pass",
    "user",
    "user",
  ]);
});

test("the environment has URLs separated by commas", () => {
  const { config } = loadConfig({ env: { BLOCKMILL_RPC_URLS: "http://a:1,ws://b:2" } });
  assert.deepEqual(config.rpc.urls, ["http://a:1", "ws://b:2"]);
});

const wrong: [string, RegExp][] = [
  [
    `{ "url": "http://b.example", "weight": 0 }`,
    /^rpc\.urls\[1\]\.weight \(.*:5\): expected a number from 0.01 to 1000, got 0$/,
  ],
  [`{ "url": "http://b.example", "weight": "2" }`, /^rpc\.urls\[1\]\.weight \(.*:5\): .* got "2"$/],
  [
    `{ "url": "http://b.example", "wieght": 2 }`,
    /^rpc\.urls\[1\]\.wieght \(.*:5\): expected only url, weight, /,
  ],
  [`{ "weight": 2 }`, /^rpc\.urls\[1\] \(.*:5\): expected a URL that begins with /],
  [
    `{ "url": "ftp://b.example/s3cr3ts3cr3t" }`,
    /^rpc\.urls\[1\]\.url \(.*:5\): expected a URL .*, got something else$/,
  ],
  [`"s3cr3ts3cr3t"`, /^rpc\.urls\[1\] \(.*:5\): expected a URL .*, got something else$/],
  [`5`, /^rpc\.urls\[1\] \(.*:5\): expected a URL /],
  [`"http://a.example"`, /^rpc\.urls\[1\] \(.*:5\): expected each URL once/],
];

for (const [second, message] of wrong) {
  test(`${second} is refused by its key and line, and no secret is shown`, () => {
    assert.throws(
      () => load(withSecond(second)),
      (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /s3cr3t/);
        return true;
      },
    );
  });
}
