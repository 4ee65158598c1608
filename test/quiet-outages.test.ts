import assert from "node:assert/strict";
import { test } from "node:test";
import { DatabaseUnavailableError } from "../src/errors.js";
import { createLogger } from "../src/logger.js";
import { quietOutages } from "../src/quiet-outages.js";

/** The lines of a log that a process with this clock would write. */
function logged(work: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  const output = { write: (line: string) => lines.push(line) };
  work(createLogger({ component: "test", level: "info", redact: (text) => text, output }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

const away = new DatabaseUnavailableError('PostgreSQL: the database "chain" is away');

test("an outage has ten lines, and everything else is said meanwhile", () => {
  const lines = logged((log) => {
    for (let n = 1; n <= 1_000; n += 1) {
      log.child({ worker: `w${n}` }).warn({ err: away }, "the listening connection is lost");
      if (n % 100 === 0) log.warn({ err: new Error("something else") }, "other");
    }
  });
  assert.equal(lines.filter(({ msg }) => msg !== "other").length, 10);
  assert.equal(lines.filter(({ msg }) => msg === "other").length, 10);
});

test("then one line a minute tells how many were left out, and the next outage begins anew", () => {
  let now = 0;
  const quiet = quietOutages(() => now);
  const [line = {}] = logged((log) => log.warn({ err: away }, "lost"));
  const text = JSON.stringify(line);
  const saidIn = (seconds: number) => {
    const said: string[] = [];
    for (const end = now + seconds * 1_000; now < end; now += 250) said.push(...[quiet(text) ?? []].flat());
    return said;
  };
  assert.equal(saidIn(60).length, 10);
  const later = saidIn(600);
  assert(later.length >= 9 && later.length <= 10, String(later.length));
  assert.equal((JSON.parse(later[5] ?? "") as { left_out: number }).left_out, 239);
  now += 120_000;
  assert.equal(saidIn(10).length, 10);
});
