// What the package's scripts decide, with programs of the system played by stubs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { projectRoot } from "../support/project.js";

/** Runs a script of packaging/ where these programs stand first on the PATH. */
function runScript(
  t: TestContext,
  script: string,
  {
    args = [],
    programs = {},
    env = {},
  }: { args?: string[]; programs?: Record<string, string>; env?: NodeJS.ProcessEnv },
): { code: number | null; said: string } {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-stubs-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [name, body] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  const { status, stdout, stderr } = spawnSync("sh", [path.join(projectRoot, "packaging", script), ...args], {
    env: { PATH: `${folder}:${process.env.PATH}`, ...env },
    encoding: "utf8",
  });
  return { code: status, said: stdout + stderr };
}

const host = {
  id: "echo 0",
  uname: "echo x86_64",
  systemctl: "exit 1",
  rm: "echo removed $*",
  cp: "exit 9",
  mkdir: "exit 9",
};

test("the tarball refuses to install or uninstall where the package is, and changes nothing", (t) => {
  for (const args of [[], ["--uninstall"]]) {
    const { code, said } = runScript(t, "install.sh", {
      args,
      programs: { ...host, "dpkg-query": "echo installed" },
    });
    assert.equal(code, 1);
    assert.match(said, /from its Debian package/);
    assert.doesNotMatch(said, /removed/);
  }
});

test("the package refuses to install where the tarball did", (t) => {
  const root = mkdtempSync(path.join(tmpdir(), "blockmill-root-"));
  t.after(() => rmSync(root, { recursive: true }));
  const preinst = (action: string) =>
    runScript(t, "debian/preinst", { args: [action], env: { DPKG_ROOT: root } });
  assert.deepEqual(preinst("install"), { code: 0, said: "" });
  mkdirSync(path.join(root, "usr/lib/blockmill/current"), { recursive: true });
  const { code, said } = preinst("install");
  assert.equal(code, 1);
  assert.match(said, /install\.sh --uninstall/);
  assert.deepEqual(preinst("upgrade"), { code: 0, said: "" });
});

test("an alert tells the run that failed, though the unit was started again meanwhile", (t) => {
  const programs = {
    systemctl: 'case "$*" in *Result*) echo success ;; *) echo 0 ;; esac',
    journalctl: 'case "$*" in *INVOCATION_ID=abc*) echo the cause ;; *) echo a new life ;; esac',
  };
  const env = {
    MONITOR_SERVICE_RESULT: "exit-code",
    MONITOR_EXIT_STATUS: "78",
    MONITOR_INVOCATION_ID: "abc",
  };
  const { code, said } = runScript(t, "alert", { args: ["blockmill@mainnet.service"], programs, env });
  assert.equal(code, 0, said);
  assert.match(
    said,
    /^<2>blockmill@mainnet\.service failed \(exit-code, status 78\); it will not start again by itself/,
  );
  assert.match(said, /\| the cause/);
  assert.doesNotMatch(said, /a new life|success/);
  const again = runScript(t, "alert", {
    args: ["blockmill@mainnet.service"],
    programs,
    env: { ...env, MONITOR_SERVICE_RESULT: "watchdog", MONITOR_EXIT_STATUS: "KILL" },
  });
  assert.match(again.said, /\(watchdog, status KILL\); systemd starts it again/);
});
