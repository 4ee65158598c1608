import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { createLogger } from "../../src/logger.js";
import { noteStart } from "../../src/supervisor/starts.js";

function setPlace(t: TestContext) {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-test-starts-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const lines: string[] = [];
  const log = createLogger({
    component: "test",
    level: "warn",
    redact: (text) => text,
    output: { write: (line: string) => lines.push(line) } as unknown as NodeJS.WritableStream,
    journal: false,
  });
  let now = 1_000_000;
  /** A life that begins so many seconds after the last one, and how it ends; undefined: it leaves no word. */
  const live = (afterSeconds: number, end?: string | null, boot = "this boot") => {
    now += afterSeconds * 1_000;
    const starts = noteStart({ folder, log, now, boot });
    if (end !== undefined) starts.endedBy(end);
    return starts.loop;
  };
  return { folder, lines, live };
}

test("the fifth start within two minutes is a loop, told with how the last life ended", (t) => {
  const { live } = setPlace(t);
  for (let life = 1; life <= 3; life += 1) assert.equal(live(10), undefined);
  assert.equal(live(10, "the disk is on fire"), undefined);
  assert.equal(
    live(10),
    `blockmill on ${hostname()} started 5 times in 40 s; the last end: the disk is on fire`,
  );
  assert.match(live(1) ?? "", /started 5 times in 31 s; the last end: it left no word/);
});

test("starts that are further apart, ends in order, and a host that starts anew are none", (t) => {
  const { live } = setPlace(t);
  for (let life = 1; life <= 9; life += 1) assert.equal(live(31), undefined);
  const ordered = setPlace(t);
  for (let life = 1; life <= 9; life += 1) assert.equal(ordered.live(1, null), undefined);
  const booted = setPlace(t);
  for (let life = 1; life <= 9; life += 1) assert.equal(booted.live(1, undefined, `boot ${life}`), undefined);
});

test("a loop is over once a life has lasted", (t) => {
  const { live } = setPlace(t);
  for (let life = 1; life <= 6; life += 1) live(1);
  assert.equal(live(130), undefined);
});

test("a clock that was set back makes no loop", (t) => {
  const { live } = setPlace(t);
  for (let life = 1; life <= 9; life += 1) assert.equal(live(-60), undefined);
});

test("a note that cannot be read or written is told, and does not keep anybody from starting", (t) => {
  const { folder, lines, live } = setPlace(t);
  const file = path.join(folder, "starts.json");
  for (const text of [
    "{",
    "null",
    '{"lives": 7}',
    '{"boot": "this boot", "lives": [null, {"startedAt": "x"}]}',
  ]) {
    writeFileSync(file, text);
    assert.equal(live(1), undefined, text);
    assert.equal(JSON.parse(readFileSync(file, "utf8")).lives.length, 1);
  }
  assert.match(lines.join(""), /cannot be read/);
  rmSync(file);
  writeFileSync(`${file}.new`, "");
  chmodSync(`${file}.new`, 0o400);
  rmSync(folder, { recursive: true });
  assert.equal(live(1), undefined);
  assert.match(lines.join(""), /cannot be noted/);
  // The place is removed behind the test.
  writeFileSync(folder, "");
});
