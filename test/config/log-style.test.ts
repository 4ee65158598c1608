import assert from "node:assert/strict";
import { test } from "node:test";
import { logStyle } from "../../src/config/log-style.js";

// The suite's own output goes to the runner: no terminal and no journal. Terminals: test/cli/on-a-terminal.test.ts.
test("lines are JSON where they go to no terminal, unless lines for people are asked for", () => {
  for (const format of ["auto", "json"])
    assert.deepEqual(logStyle({ level: "info", format }, 1), { journal: false, pretty: undefined });
  assert.deepEqual(logStyle({ level: "info", format: "pretty" }, 1), {
    journal: false,
    pretty: { terminal: false, colours: false },
  });
});
