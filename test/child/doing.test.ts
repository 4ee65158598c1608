import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { readAnyDoing, readDoing } from "../../src/child/doing.js";
import { childRoles, roleRow } from "../../src/child/roles.js";
import { projectRoot } from "../support/project.js";

test("what a process says is read field by field, and what does not fit is left out", () => {
  const endpoint = {
    name: "a",
    state: "up",
    reason: null,
    until: null,
    aside: false,
    latencyMs: 3,
    head: 7,
    lag: 0,
  };
  assert.deepEqual(
    readDoing("worker", {
      completed: 4,
      failed: "many",
      blocks: [1, "x", 2, null],
      throttled: true,
      memoryMb: 90,
      reason: { a: 1 },
      duty: "is the orchestrator's",
      endpoints: [
        endpoint,
        { name: "without a state" },
        null,
        5,
        { name: "b", state: "resting", head: "high" },
      ],
    }),
    {
      completed: 4,
      blocks: [1, 2],
      throttled: true,
      memoryMb: 90,
      endpoints: [
        endpoint,
        {
          name: "b",
          state: "resting",
          reason: null,
          until: null,
          aside: false,
          latencyMs: null,
          head: null,
          lag: null,
        },
      ],
    },
  );
  for (const nothing of [null, undefined, 1, "", []])
    assert.deepEqual(readDoing("orchestrator", nothing), {});
});

test("of a role that this version does not know, what every process says is read", () => {
  const said = { memoryMb: 80, reason: "it waits", completed: 9 };
  assert.deepEqual(readAnyDoing("web", said), { memoryMb: 80, reason: "it waits" });
  assert.deepEqual(readAnyDoing("toString", said), { memoryMb: 80, reason: "it waits" });
});

test("each role's file is there to be forked, and its letter is its own", () => {
  for (const role of childRoles) {
    const source = roleRow(role).file.replace(/\.js$/, ".ts");
    assert.ok(existsSync(path.join(projectRoot, source)), source);
  }
  const letters = childRoles.map((role) => roleRow(role).letter);
  assert.equal(new Set(letters).size, letters.length);
});
