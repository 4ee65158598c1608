import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger, type Logger } from "../src/logger.js";
import { type PrettyOptions, prettyLine } from "../src/pretty-log.js";
import { createRedact } from "../src/redact.js";

const secret = 'p@ss"w\\rd';
const redact = createRedact([secret]);
const plain: PrettyOptions = { terminal: false, colours: false };

/** What a logger of such a process writes for people, with ESC as ␛. */
function written(
  component: string,
  work: (log: Logger) => void,
  pretty: PrettyOptions = plain,
  journal = false,
): string {
  let text = "";
  const output = {
    write(line: string) {
      text += line;
    },
  };
  work(createLogger({ component, level: "trace", redact, output, pretty, journal }));
  return text.replaceAll("\u001b", "␛");
}

test("a record is one line: time, level, process, message, what its error says, and the fields that matter", () => {
  const worker = "host.12.ab/w3";
  for (const [text, expected] of [
    [
      written("worker", (log) =>
        log.child({ worker }).warn({ block: 7, err: new Error("no\nhash") }, "failed"),
      ),
      "WARN  worker 3     failed: no hash (block 7)",
    ],
    [
      written("supervisor", (log) => log.error({ worker, signal: "SIGKILL" }, "a child ended")),
      "ERROR supervisor   a child ended (worker 3, signal SIGKILL)",
    ],
    [
      written("orchestrator", (log) => log.info({ head: 5, seen: { by: [1, 2] } }, "new blocks")),
      'info  orchestrator new blocks (head 5, seen {"by":[1,2]})',
    ],
    [
      written("cli", (log) => log.fatal({ err: new Error("all of it") }, "all of it")),
      "FATAL cli          all of it",
    ],
    [written("cli", (log) => log.debug("x")), "debug cli          x"],
    [written("cli", (log) => log.trace({ supervisor: "s" }, "x")), "trace cli          x"],
  ] as const)
    assert.match(text.replace(expected, "<it>"), /^\d\d:\d\d:\d\d <it>\n$/, text);
});

test("nothing secret, and nothing that steers a terminal, gets through the decoding", () => {
  const hostile = `${secret} https://user:pw@node.example/key \u001b[2J\u202e\u0007 \r over`;
  const text = written("cli", (log) => log.info({ field: hostile, err: new Error(hostile) }, hostile));
  assert.doesNotMatch(text.slice(0, -1), /p@ss|user|key|[\p{Cc}\p{Bidi_Control}]/u);
  assert.match(text, /\[redacted\] https:\/\/node\.example .*over/);
  // Also by itself: decoding may bring out what JSON's escapes hid.
  const record = { msg: hostile, time: 0, level: 30, component: hostile, field: { inner: hostile } };
  const alone = prettyLine(JSON.stringify(record), { ...plain, redact });
  assert.doesNotMatch(alone.slice(0, -1), /p@ss|user|key|[\p{Cc}\p{Bidi_Control}]/u);
});

test("on a terminal a line erases what stands there, with colours only where they are wanted", () => {
  const say = (log: Logger) => log.info("x");
  assert.match(written("cli", say, { terminal: true, colours: false }), /^\r␛\[K\d\d:/);
  const coloured = written("cli", say, { terminal: true, colours: true });
  assert.match(coloured, /␛\[32minfo ␛\[39m/);
  assert.doesNotMatch(written("cli", say), /␛/);
});

test("what is no record of ours is a line as it is", () => {
  for (const line of ["Killed", '"x"', "{}", "[1]"])
    assert.equal(prettyLine(`${line}\n`, { ...plain, redact }), `${line}\n`);
  const record = { msg: "x", level: "?", time: "yesterday", component: "cli" };
  assert.equal(prettyLine(JSON.stringify(record), { ...plain, redact }), "--:--:-- trace cli          x\n");
});

test("a value of any length leaves a line that can be read, and the journal has its priority", () => {
  const text = written("cli", (log) => log.warn({ long: "a".repeat(9_000) }, "x"), plain, true);
  assert.match(text, /^<4>\d\d:/);
  assert(text.length < 400, String(text.length));
});
