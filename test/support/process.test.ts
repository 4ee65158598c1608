import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { alive, descendants, spawnProgram, waitFor } from "./process.js";

test("lines of stdout and stderr are found, also those that came before the question", async (t) => {
  const program = await spawnProgram([], {
    script: await script(t, "console.log('one'); console.error('two');"),
  });
  assert.deepEqual(await program.exit, { code: 0, signal: null });
  assert.equal(await program.line(/^two$/), "two");
  assert.equal(await program.line((line) => line.startsWith("o")), "one");
});

test("a program that ends without the line says what it said instead", async (t) => {
  const program = await spawnProgram([], {
    script: await script(t, "console.error('no database'); process.exit(3);"),
  });
  await assert.rejects(
    program.line(/ready/),
    /ended without a line like \/ready\/; it said:\n {2}no database/,
  );
  assert.deepEqual(await program.exit, { code: 3, signal: null });
});

test("a line that does not come in time rejects with what was said", async (t) => {
  const program = await spawnProgram([], {
    script: await script(t, "console.log('busy'); setInterval(() => {}, 1000)"),
  });
  await program.line(/busy/);
  await assert.rejects(program.line(/ready/, { timeoutMs: 20 }), /nothing within 20 ms like .*\n {2}busy/);
  assert.deepEqual(await program.kill("SIGKILL"), { code: null, signal: "SIGKILL" });
});

test("descendants are found at every depth, and are not alive once they have ended", async (t) => {
  const family = `
    import { spawn } from "node:child_process";
    spawn("sh", ["-c", "sleep 100 & sleep 100 & echo born; wait"], { stdio: "inherit" });`;
  const program = await spawnProgram([], { script: await script(t, family) });
  await program.line(/born/);
  const found = descendants(program.pid);
  assert.equal(found.length, 3);
  assert.ok(found.every(alive));

  for (const pid of found) process.kill(pid, "SIGKILL");
  await waitFor(() => !found.some(alive), { what: "the family to be gone" });
  await program.exit;
});

test("a condition that never holds is named when the wait ends", async () => {
  await assert.rejects(
    waitFor(() => 0, { what: "a miracle", timeoutMs: 20 }),
    /20 ms for a miracle.* 0/,
  );
  assert.equal(await waitFor(async () => "yes", { what: "an answer" }), "yes");
});

async function script(t: { after(cleanUp: () => Promise<void>): void }, code: string): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-script-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "program.mjs");
  await writeFile(file, code);
  return file;
}
