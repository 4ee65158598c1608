import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.js";
import { takeServiceEnvironment } from "../../src/config/service.js";

test("credentials win over the file and lose to the environment, and an empty one says nothing", async (t) => {
  const directory = await mkdtemp(path.join(tmpdir(), "blockmill-credentials-"));
  t.after(() => rm(directory, { recursive: true }));
  const file = path.join(directory, "config.json");
  await writeFile(
    file,
    JSON.stringify({ database: { url: "postgresql://file@host/db" }, rpc: { urls: [] } }),
  );
  const env = { CREDENTIALS_DIRECTORY: directory };
  await writeFile(path.join(directory, "database_url"), "postgresql://credential@host/db\n");
  await writeFile(path.join(directory, "rpc_urls"), "https://one.example\nhttps://two.example\n");

  const { config, sources } = loadConfig({ file, env });
  assert.equal(config.database.url, "postgresql://credential@host/db");
  assert.deepEqual(config.rpc.urls, ["https://one.example", "https://two.example"]);
  assert.equal(sources.get("database.url"), "credential database_url");

  const over = loadConfig({ file, env: { ...env, BLOCKMILL_DATABASE_URL: "postgresql://env@host/db" } });
  assert.equal(over.sources.get("database.url"), "$BLOCKMILL_DATABASE_URL");

  await writeFile(path.join(directory, "database_url"), "\n");
  assert.equal(loadConfig({ file, env }).config.database.url, "postgresql://file@host/db");

  await writeFile(path.join(directory, "rpc_urls"), "secret-key");
  assert.throws(
    () => loadConfig({ file, env }),
    (error: Error) => /credential rpc_urls/.test(error.message) && !error.message.includes("secret-key"),
  );
});

test("what the service manager says is read once, and taken out of the environment", () => {
  const env: NodeJS.ProcessEnv = {
    NOTIFY_SOCKET: "/run/systemd/notify",
    LISTEN_PID: String(process.pid),
    LISTEN_FDS: "2",
    LISTEN_FDNAMES: "other:notify",
    WATCHDOG_USEC: "15000000",
    WATCHDOG_PID: String(process.pid),
    RUNTIME_DIRECTORY: "/run/blockmill/mainnet",
    STATE_DIRECTORY: "/var/lib/blockmill/mainnet",
    HOME: "/",
  };
  assert.deepEqual(takeServiceEnvironment(env), {
    notifyFd: 4,
    watchdogMs: 15_000,
    runtimeDirectory: "/run/blockmill/mainnet",
    stateDirectory: "/var/lib/blockmill/mainnet",
  });
  assert.deepEqual(Object.keys(env).sort(), ["HOME", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"]);
});

test("a descriptor and a watchdog that are meant for another process are not ours", () => {
  const env = { LISTEN_PID: "1", LISTEN_FDNAMES: "notify", WATCHDOG_PID: "1", WATCHDOG_USEC: "15000000" };
  const { notifyFd, watchdogMs } = takeServiceEnvironment(env);
  assert.deepEqual([notifyFd, watchdogMs], [undefined, undefined]);
});

test("credentials beside the configuration serve every command, as the unit's do the daemon", async (t) => {
  const directory = await mkdtemp(path.join(tmpdir(), "blockmill-credentials-"));
  t.after(() => rm(directory, { recursive: true }));
  const file = path.join(directory, "mainnet.json");
  await writeFile(file, JSON.stringify({ database: { url: "postgresql://file@host/db" } }));
  const beside = path.join(directory, "mainnet.database_url");
  await writeFile(beside, "postgresql://beside@host/db\n");
  await writeFile(path.join(directory, "mainnet.rpc_urls"), "https://one.example");
  await writeFile(path.join(directory, "other.database_listen_url"), "postgresql://other@host/db");

  const { config, sources } = loadConfig({ file, env: {} });
  assert.equal(config.database.url, "postgresql://beside@host/db");
  assert.equal(config.database.listen_url, "");
  assert.deepEqual(config.rpc.urls, ["https://one.example"]);
  assert.equal(sources.get("database.url"), beside);

  // systemd laid out what it found there, which is nothing: the daemon's user may not read the files themselves.
  const laidOut = path.join(directory, "laid-out");
  await mkdir(laidOut);
  await writeFile(path.join(laidOut, "database_url"), "\n");
  const service = loadConfig({ file, env: { CREDENTIALS_DIRECTORY: laidOut } });
  assert.equal(service.config.database.url, "postgresql://file@host/db");

  await rm(beside);
  await mkdir(beside);
  assert.throws(() => loadConfig({ file, env: {} }), /mainnet\.database_url: it cannot be read \(EISDIR\)/);
  const replaced = loadConfig({ file, env: { BLOCKMILL_DATABASE_URL: "postgresql://env@host/db" } });
  assert.equal(replaced.config.database.url, "postgresql://env@host/db");
});
