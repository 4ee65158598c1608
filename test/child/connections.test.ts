import assert from "node:assert/strict";
import { test } from "node:test";
import {
  connectionOptions,
  pulseChannel,
  sessionOptions,
  supervisorOf,
} from "../../src/child/connections.js";
import type { Config } from "../../src/config/schema.js";

const configOf = (listenUrl: string) =>
  ({
    database: {
      url: "pg://pool",
      listen_url: listenUrl,
      schema: "main",
      connect_timeout: 5,
      statement_timeout: 60,
    },
  }) as Config;

test("everything goes to database.url where there is no other address", () => {
  const options = connectionOptions(configOf(""), "a/w1");
  assert.deepEqual(options, {
    url: "pg://pool",
    schema: "main",
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 60_000,
    applicationName: "blockmill a/w1",
  });
});

test("beside database.listen_url only pools go to database.url, and a command's do not", () => {
  const config = configOf("pg://own");
  assert.equal(connectionOptions(config, "a").url, "pg://own");
  assert.equal(connectionOptions(config, "a").poolUrl, "pg://pool");
  assert.equal(sessionOptions(config, "a").url, "pg://own");
  assert.equal(sessionOptions(config, "a").poolUrl, undefined);
});

test("a worker's supervisor is what its id begins with, and its channel's name fits PostgreSQL", () => {
  assert.equal(supervisorOf("host.1.abc/w12"), "host.1.abc");
  assert.equal(supervisorOf("host.1.abc"), "host.1.abc");
  assert.equal(pulseChannel("a".repeat(100)).length, 63);
});
