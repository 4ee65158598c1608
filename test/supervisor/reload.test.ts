import assert from "node:assert/strict";
import { test } from "node:test";
import type { Config } from "../../src/config/schema.js";
import { ConfigError } from "../../src/errors.js";
import type { Generation } from "../../src/supervisor/place.js";
import { Reload } from "../../src/supervisor/reload.js";
import { configOf, silent } from "../orchestrator/scene.js";

const installation = { code: "/release", node: "/node" };
const started = configOf({ "database.url": "postgres://host/a", "rpc.urls": ["http://node"] });
const changed = (database: Partial<Config["database"]>): Config => ({
  ...started,
  database: { ...started.database, ...database },
});

function scene({ draining = false } = {}) {
  const rolled: Generation[] = [];
  const told: string[] = [];
  const stop = new AbortController();
  if (draining) stop.abort();
  const reload = new Reload({
    started,
    newestInstallation: () => installation,
    rollTo: async (next) => void rolled.push(next),
    onReloaded: async () => void told.push("reloaded"),
    draining: stop.signal,
    log: silent.child({}),
  });
  return { reload, rolled, told };
}

test("the children are rolled to what the newest release found right", async () => {
  const { reload, rolled, told } = scene();
  const config = { ...started, log: { level: "warn" } } as Config;
  await reload.run(async (checked) => {
    assert.equal(checked, installation);
    assert.equal(reload.isUnderWay, true);
    return config;
  });
  assert.deepEqual(
    rolled.map((each) => [each.config, each.installation]),
    [[config, installation]],
  );
  assert.deepEqual(told, ["reloaded"]);
  assert.equal(reload.isUnderWay, false);
});

test("what the supervisor's own session hangs on takes a restart, and the key is named", async () => {
  for (const [key, value] of [
    ["url", "postgres://other/a"],
    ["listen_url", "postgres://other/a"],
    ["schema", "other"],
    ["lease_seconds", started.database.lease_seconds + 1],
  ] as const) {
    const { reload, rolled } = scene();
    await assert.rejects(
      reload.run(async () => changed({ [key]: value })),
      (error) => error instanceof ConfigError && error.facts.key === `database.${key}`,
    );
    assert.deepEqual(rolled, []);
  }
});

test("a configuration that is wrong rolls nothing, and the next reload is not refused for it", async () => {
  const { reload, rolled } = scene();
  const wrong = new ConfigError("it is wrong");
  await assert.rejects(
    reload.run(() => Promise.reject(wrong)),
    wrong,
  );
  await reload.run(async () => started);
  assert.equal(rolled.length, 1);
});

test("of two reloads at once the second is refused, and one of a supervisor that stops", async () => {
  const { reload, rolled } = scene();
  const checked = Promise.withResolvers<Config>();
  const first = reload.run(() => checked.promise);
  await assert.rejects(
    reload.run(async () => started),
    /another reload is under way/,
  );
  checked.resolve(started);
  await first;
  assert.equal(rolled.length, 1);
  const stopping = scene({ draining: true });
  await assert.rejects(
    stopping.reload.run(async () => started),
    /it is stopping/,
  );
  assert.deepEqual(stopping.rolled, []);
});
