import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { test } from "node:test";
import { createFullScreen } from "../../src/cli/full-screen.js";

function terminal({ rows = 4, isTTY = true } = {}) {
  let written = "";
  const raw: boolean[] = [];
  let quits = 0;
  const input = Object.assign(new EventEmitter(), {
    isTTY,
    setRawMode: (mode: boolean) => raw.push(mode),
    resume: () => {},
    pause: () => {},
  });
  const output = Object.assign(new EventEmitter(), { rows, write: (text: string) => (written += text) });
  const screen = createFullScreen({
    input: input as unknown as NodeJS.ReadStream,
    output: output as unknown as NodeJS.WriteStream,
    onQuit: () => (quits += 1),
  });
  /** What was written since the last time, with ESC as ␛. */
  const taken = (): string => {
    const text = written.replaceAll("\u001b", "␛");
    written = "";
    return text;
  };
  return { screen, input, output, raw, taken, quits: () => quits };
}

test("lines are cut or filled to the terminal's height, above the footer", () => {
  const { screen, output, taken } = terminal();
  taken();
  screen.draw(["a", "b", "c", "d", "e"], "end");
  assert.equal(taken(), "␛[Ha␛[K\nb␛[K\nc␛[K\nend␛[K␛[J");
  screen.draw(["a"], "end");
  assert.equal(taken(), "␛[Ha␛[K\n␛[K\n␛[K\nend␛[K␛[J");
  output.rows = 2;
  output.emit("resize");
  assert.equal(taken(), "␛[Ha␛[K\nend␛[K␛[J");
  screen.end();
});

test("q, Q, Esc and Ctrl-C quit, and so does a terminal that is gone; other keys do not", () => {
  const { screen, input, quits } = terminal();
  for (const keys of ["q", "Q", "\u001b", "x\u0003"]) input.emit("data", Buffer.from(keys));
  assert.equal(quits(), 4);
  for (const keys of ["x", "\u001b[A", "aq"]) input.emit("data", Buffer.from(keys));
  assert.equal(quits(), 4);
  input.emit("end");
  assert.equal(quits(), 5);
  screen.end();
});

test("at its end the terminal is as it was, once, and nothing is drawn any more", () => {
  const { screen, input, output, raw, taken } = terminal();
  screen.draw(["a"], "end");
  taken();
  screen.end();
  screen.end();
  screen.draw(["late"], "end");
  assert.equal(taken(), "␛[?7h␛[?25h␛[?1049l");
  assert.deepEqual(raw, [true, false]);
  assert.deepEqual(
    [input.listenerCount("data"), input.listenerCount("end"), output.listenerCount("resize")],
    [0, 0, 0],
  );
});

test("where keys come from no terminal they are not read", () => {
  const { screen, input, raw } = terminal({ isTTY: false });
  assert.deepEqual([raw, input.listenerCount("data")], [[], 0]);
  screen.end();
});
