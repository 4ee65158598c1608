import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { setScene } from "../daemon/scene.js";
import { programFile } from "../support/project.js";

// As on a virtual processor of the least kind. Children inherit the options.
const withoutSimd = ["--no-enable-sse4-1", "--no-enable-ssse3"];
const skip = process.arch === "x64" ? false : "V8 has no switch for SIMD on this processor";

test("a processor without SIMD stores blocks all the same, and the log says what that costs", {
  skip,
}, async (t) => {
  const scene = await setScene(t);
  const { stderr } = await promisify(execFile)(
    process.execPath,
    [...withoutSimd, programFile, "range", "1", "6", "--workers", "1"],
    {
      env: {
        ...process.env,
        BLOCKMILL_DATABASE_URL: scene.databaseUrl,
        BLOCKMILL_RPC_URLS: scene.node.urls.join(","),
      },
    },
  );
  assert.match(stderr, /this processor cannot run the direct way/);
  const { rows } = await scene.pool.query(
    "select count(*)::int as blocks, bool_or((result->>'direct')::boolean) as direct from processing_jobs",
  );
  assert.deepEqual(rows, [{ blocks: 6, direct: false }]);
  await scene.assertWrittenOnce([1, 2, 3, 4, 5, 6]);
});
