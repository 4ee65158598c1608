import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { serve } from "../../src/cli/service.js";
import { type ServiceEnvironment, takeServiceEnvironment } from "../../src/config/service.js";
import { ConfigError } from "../../src/errors.js";
import { askToReload } from "../../src/supervisor/control.js";
import type { Supervisor } from "../../src/supervisor/supervisor.js";
import { silent } from "../orchestrator/scene.js";
import { waitFor } from "../support/process.js";

const none = takeServiceEnvironment({});

const snapshot = () => ({
  phase: "working",
  workers: { wanted: 1, up: 1 },
  completed: 0,
  well: true,
});

function scene(t: TestContext, service: Partial<ServiceEnvironment>) {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-service-"));
  let reloads = 0;
  let failure: Error | undefined;
  const supervisor = {
    snapshot,
    async reload() {
      reloads += 1;
      if (failure !== undefined) throw failure;
    },
  } as unknown as Supervisor;
  const logged: string[] = [];
  const log = silent.child({});
  t.mock.method(log, "error", (_facts: object, message: string) => logged.push(message));
  const hangups = process.listenerCount("SIGHUP");
  const end = serve({ supervisor, service: { ...none, ...service }, log });
  t.after(() => {
    end();
    rmSync(folder, { recursive: true });
  });
  return {
    end,
    logged,
    reloads: () => reloads,
    fail: (error: Error) => {
      failure = error;
    },
    listensForHangup: () => process.listenerCount("SIGHUP") > hangups,
  };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-service-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("where no service manager is, nobody is told, nothing is listened to, and SIGHUP does what it does", (t) => {
  assert.equal(scene(t, {}).listensForHangup(), false);
});

test("a service manager is told how it is, by its descriptor", async (t) => {
  const file = path.join(folderOf(t), "notified");
  const notifyFd = openSync(file, "a");
  t.after(() => closeSync(notifyFd));
  const { end } = scene(t, { notifyFd });
  await waitFor(() => readFileSync(file, "utf8").includes("READY=1"), { what: "READY=1" });
  end();
});

test("whoever asks by the control socket has it reloaded, or hears why not; so has SIGHUP, which is logged", async (t) => {
  const runtimeDirectory = folderOf(t);
  const { reloads, fail, logged, listensForHangup } = scene(t, { runtimeDirectory });
  await askToReload(runtimeDirectory);
  assert.equal(reloads(), 1);
  assert.equal(listensForHangup(), true);
  process.kill(process.pid, "SIGHUP");
  await waitFor(() => reloads() === 2, { what: "the reload by SIGHUP" });
  fail(new ConfigError("rpc.urls: expected a URL"));
  await assert.rejects(askToReload(runtimeDirectory), /rpc\.urls: expected a URL/);
  assert.deepEqual(logged, []);
  process.kill(process.pid, "SIGHUP");
  await waitFor(() => logged.length > 0, { what: "the line" });
  assert.deepEqual(logged, ["SIGHUP: nothing was reloaded"]);
});

test("what ends it takes the socket and the handler away", (t) => {
  const runtimeDirectory = folderOf(t);
  const { end, listensForHangup } = scene(t, { runtimeDirectory });
  end();
  assert.equal(listensForHangup(), false);
  assert.equal(existsSync(path.join(runtimeDirectory, "control")), false);
});
