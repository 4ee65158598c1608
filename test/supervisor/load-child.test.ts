import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { environmentOfChildren } from "../../src/config/environment.js";
import { loadChild, processName } from "../../src/supervisor/load-child.js";

test("a process is named after its role, and a worker after its number", () => {
  assert.equal(processName("worker", "a-host.12.abcdef/w13"), "blockmill: worker 13");
  assert.equal(processName("orchestrator", "a-host.12.abcdef/o1"), "blockmill: orchestrator");
});

test("a child is seen under its name, and has nothing of the configuration in its environment", async (t) => {
  const code = await mkdtemp(path.join(tmpdir(), "blockmill-child-"));
  t.after(() => rm(code, { recursive: true }));
  await mkdir(path.join(code, "src/worker"), { recursive: true });
  await writeFile(
    path.join(code, "src/worker/main.js"),
    "process.on('message', () => {}); process.send('up');",
  );
  process.env.BLOCKMILL_DATABASE_URL = "postgresql://u:hunter2@h/d";
  t.after(() => delete process.env.BLOCKMILL_DATABASE_URL);
  const child = loadChild({
    role: "worker",
    workerId: "a-host.12.abcdef/w3",
    installation: { code, node: process.execPath },
    outputFd: 2,
  });
  t.after(() => {
    child.mark?.close();
    child.process.kill("SIGKILL");
  });
  await once(child.process, "message");
  const read = (file: string) => readFile(`/proc/${child.process.pid}/${file}`, "utf8");
  const [name, ...words] = (await read("cmdline")).split("\0");
  assert.equal(name, "blockmill: worker 3");
  assert(words.includes("a-host.12.abcdef/w3"));
  assert.doesNotMatch(await read("environ"), /BLOCKMILL_DATABASE|hunter2/);
});

test("what libpq reads, and what a test run marks its processes with, is passed on", () => {
  const env = {
    PGPASSWORD: "p",
    BLOCKMILL_TEST_RUN: "r",
    HOME: "/",
    BLOCKMILL_RPC_URLS: "u",
    BLOCKMILL_CONFIG: "f",
    CREDENTIALS_DIRECTORY: "d",
  };
  assert.deepEqual(environmentOfChildren(env), { PGPASSWORD: "p", BLOCKMILL_TEST_RUN: "r", HOME: "/" });
});
