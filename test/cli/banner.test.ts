import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBanner } from "../../src/cli/banner.js";
import { loadConfig } from "../../src/config/load.js";
import { secretsOf } from "../../src/config/secrets.js";
import { schemaVersion } from "../../src/db/schema-version.js";
import { createRedact } from "../../src/redact.js";
import { version } from "../../src/version.js";

const { config } = loadConfig({
  env: {
    BLOCKMILL_DATABASE_URL: "postgresql://me:hunter2hunter2@db.example/chain",
    BLOCKMILL_RPC_URLS: "https://node.example/v2/k3y-in-the-path,ws://other.example:8546",
  },
});
const redact = createRedact(secretsOf(config));

test("a banner says what runs, on what, and how it ends, without a secret", () => {
  const text = formatBanner({ config, place: { chainId: 1, head: 21_004_233 }, redact }, (_, said) => said);
  const said = text.split("\n").map((line) => line.replace(/ +/g, " "));
  assert.deepEqual(said.slice(0, 6), [
    `blockmill ${version}`,
    ` schema "public", version ${schemaVersion}, postgresql://db.example`,
    " chain 1",
    " head 21,004,233",
    " endpoints https://node.example, ws://other.example:8546",
    " workers 5",
  ]);
  assert.match(text, /Ctrl-C/);
  assert.doesNotMatch(text, /hunter2|k3y/);
});

test("what nobody could tell yet is called so", () => {
  const text = formatBanner({ config, place: { chainId: null, head: null }, redact }, (_, said) => said);
  assert.equal(text.match(/not seen yet/g)?.length, 2);
});
