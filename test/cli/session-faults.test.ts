import assert from "node:assert/strict";
import { test } from "node:test";
import {
  poolerError,
  refusedSettingsError,
  sessionFaultError,
  wrongSettingsError,
} from "../../src/cli/session-faults.js";
import type { Config } from "../../src/config/schema.js";
import { ConfigError } from "../../src/errors.js";

const configOf = (listenUrl: string) => ({ database: { listen_url: listenUrl } }) as Config;
const alone = configOf("");
const beside = configOf("postgresql://other/chain");
const settings = [{ name: "TimeZone", wanted: "UTC", actual: "Europe/Paris" }];

test("what is wrong names the key that leads there, and what to set instead", () => {
  for (const [config, key, advice] of [
    [alone, "database.url", "set database.listen_url to PostgreSQL's own address"],
    [beside, "database.listen_url", "it must be PostgreSQL's own address"],
  ] as const) {
    for (const fault of [{ kind: "forgets" }, { kind: "drops", settings }] as const) {
      const error = sessionFaultError(config, fault);
      assert(error instanceof ConfigError);
      assert.equal(error.facts.key, key);
      assert(error.message.startsWith(`${key}: `) && error.message.includes(advice), error.message);
    }
  }
});

test("a pooler that drops settings is told by those that are wrong", () => {
  assert.match(
    sessionFaultError(alone, { kind: "drops", settings }).message,
    /\(TimeZone is "Europe\/Paris" instead of "UTC"\)/,
  );
  assert.match(wrongSettingsError(settings).message, /^database\.url: .*TimeZone is "Europe\/Paris"/);
});

test("an address that leads elsewhere says from where", () => {
  assert.equal(
    sessionFaultError(alone, { kind: "elsewhere" }).message,
    "database.url: two connections to it lead to two databases",
  );
  assert.equal(
    sessionFaultError(beside, { kind: "elsewhere" }).message,
    "database.listen_url: it leads to another database than database.url",
  );
});

test("only PgBouncer's own words make a refusal the configuration's", () => {
  assert.equal(refusedSettingsError(alone, new Error("the server is away")), undefined);
  assert.match(
    String(refusedSettingsError(alone, new Error("unsupported startup parameter: options"))),
    /ConfigError: database\.url: .*unsupported startup parameter: options/,
  );
  const other = new Error("the server is away");
  assert.equal(poolerError(other), other);
  assert.match(
    String(poolerError(new Error("this is not allowed in statement pooling mode"))),
    /ConfigError: database\.url: .*expected pool_mode transaction/,
  );
});
