import assert from "node:assert/strict";
import { test } from "node:test";
import { createBar } from "../../src/cli/bar.js";

/** A terminal of so many columns, and what was written to it. */
function terminal(columns: number) {
  const writes: string[] = [];
  return {
    writes,
    stream: { columns, write: (text: string) => writes.push(text) } as unknown as NodeJS.WriteStream,
  };
}

test("a bar is drawn over and over on one line, which is cut to the terminal, and removed at the end", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { writes, stream } = terminal(40);
  const bar = createBar(stream);
  bar.draw(0.5, "50 % · 500/1,000 · and much more than fits");
  assert.equal(writes.at(-1), `\r${"█".repeat(12)}${"░".repeat(12)} 50 % · 500/1,0\u001b[K`);
  // A log line pushed it down: it comes again by itself.
  t.mock.timers.tick(200);
  assert.equal(writes.length, 2);
  assert.equal(writes[1], writes[0]);
  bar.draw(1.2, "x");
  assert.equal(writes.at(-1), `\r${"█".repeat(24)} x\u001b[K`);
  bar.end();
  bar.end();
  assert.equal(writes.at(-1), "\r\u001b[K");
  t.mock.timers.tick(1_000);
  assert.equal(writes.length, 4);
});

test("a terminal that does not tell its width counts as one of 80 columns", () => {
  const { writes, stream } = terminal(0);
  const bar = createBar(stream);
  bar.draw(0, "a".repeat(100));
  bar.end();
  assert.equal(writes[0], `\r${"░".repeat(24)} ${"a".repeat(54)}\u001b[K`);
});
