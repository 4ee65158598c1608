import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { createDatabase } from "../support/database.js";
import { startFixture } from "../support/fixture.js";
import { waitFor } from "../support/process.js";
import { startBlockmill } from "./blockmill.js";

test("a daemon that is started again and again says so in its log and in an alert, with how it ended last", async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-test-loop-"));
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 1, head: 5, signatures: "random" }),
  ]);
  t.after(async () => {
    await Promise.all([database.drop(), node.stop()]);
    rmSync(folder, { recursive: true });
  });
  const file = path.join(folder, "starts.json");
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const life = { startedAt: Date.now(), end: "the port is taken" };
  writeFileSync(file, JSON.stringify({ boot, lives: [life, life, life, life] }));
  const daemon = await startBlockmill(["start", "-w", "1"], {
    BLOCKMILL_DATABASE_URL: database.url,
    BLOCKMILL_RPC_URLS: node.url,
    STATE_DIRECTORY: folder,
  });
  t.after(() => daemon.kill("SIGKILL"));
  // 50: an error, in bunyan's words.
  await daemon.line(/"level":50.*started 5 times in \d+ s; the last end: the port is taken/);
  const alert = await waitFor(
    async () =>
      (
        await database.pool.query(
          "select message from alerts where kind = 'crash_loop' and cleared_at is null",
        )
      ).rows[0]?.message as string | undefined,
    { what: "the alert" },
  );
  assert.match(alert, /started 5 times/);
  assert.equal((await daemon.kill()).code, 0);
  assert.deepEqual(JSON.parse(readFileSync(file, "utf8")).lives, [], "an end in order ends the loop");
});
