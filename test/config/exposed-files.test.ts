import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { exposedFiles } from "../../src/config/exposed-files.js";
import { loadConfig } from "../../src/config/load.js";

test("a file that holds a secret and that others may read is told, and no other", async (t) => {
  const directory = await mkdtemp(path.join(tmpdir(), "blockmill-exposed-"));
  t.after(() => rm(directory, { recursive: true }));
  const file = path.join(directory, "mainnet.json");
  const exposed = async (config: object, mode: number, env: NodeJS.ProcessEnv = {}) => {
    await writeFile(file, JSON.stringify(config));
    await chmod(file, mode);
    return exposedFiles(loadConfig({ file, env }).secretFiles);
  };
  const secret = { database: { url: "postgresql://u:hunter2@h/d" } };
  assert.deepEqual(await exposed(secret, 0o644), [file]);
  assert.deepEqual(await exposed(secret, 0o640), []);
  assert.deepEqual(await exposed({ database: { url: "postgresql://u@h/d" } }, 0o644), []);
  assert.deepEqual(await exposed({ rpc: { urls: [{ url: "https://n.example/v2/k3yk3yk3y" }] } }, 0o604), [
    file,
  ]);
  assert.deepEqual(await exposed(secret, 0o644, { BLOCKMILL_DATABASE_URL: "postgresql://u@h/d" }), [file]);
  const beside = path.join(directory, "mainnet.database_url");
  await writeFile(beside, secret.database.url);
  await chmod(beside, 0o644);
  assert.deepEqual(await exposed({}, 0o644), [beside]);
});
