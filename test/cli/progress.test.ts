import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { showIndexProgress } from "../../src/cli/index-progress.js";
import { showProgress } from "../../src/cli/progress.js";

/** What is no terminal, and what was written to it. */
function paper() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  return { lines, stream };
}

test("where there is no terminal, the last report is told at the end, and no report twice", () => {
  const { lines, stream } = paper();
  const display = showProgress(stream, { label: "blocks 1 to 300", total: 300 });
  display.show({ done: 100, perSecond: 5, secondsLeft: 40, failed: 0 });
  display.show({ done: 299, perSecond: 1_200, secondsLeft: 1, failed: 2 });
  display.end();
  display.end();
  assert.deepEqual(lines, [
    "blocks 1 to 300: 299 of 300 blocks (99 %), 1,200 blocks/s, 1.0 s left, 2 failed\n",
  ]);
});

test("who is through has no time left to tell", () => {
  const { lines, stream } = paper();
  const display = showProgress(stream, { label: "all", total: 2 });
  display.show({ done: 2, perSecond: 1, secondsLeft: 0, failed: 0 });
  display.end();
  assert.deepEqual(lines, ["all: 2 of 2 blocks (100 %), 1.00 blocks/s, 0 failed\n"]);
});

test("an index tells at once what it builds next and whom it waits for, and the rest now and then", () => {
  const { lines, stream } = paper();
  const display = showIndexProgress(stream);
  const show = (what: string, phase: string, done: number) =>
    display.show({ what, phase, done, secondsLeft: null });
  show("logs_topic0", "scanning table", 0);
  show("logs_topic0", "scanning table", 0.1);
  show("logs_topic0", "waiting for 12", 0.2);
  show("logs_topic0", "waiting for 12", 0.3);
  show("logs_topic1", "scanning table", 0.999);
  display.end();
  assert.deepEqual(lines, [
    "logs_topic0: scanning table (0 % of all)\n",
    "logs_topic0: waiting for 12 (20 % of all)\n",
    "logs_topic1: scanning table (99 % of all)\n",
  ]);
});
