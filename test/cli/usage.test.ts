import assert from "node:assert/strict";
import { test } from "node:test";
import { blockmill } from "./blockmill.js";

const commands = [
  "init",
  "index",
  "start",
  "range",
  "single",
  "enqueue",
  "status",
  "retry",
  "cancel",
  "cleanup",
  "config",
];

test("the help names every command and every exit code", async () => {
  const { code, stdout } = await blockmill(["--help"]);
  assert.equal(code, 0);
  for (const command of commands) assert.match(stdout, new RegExp(`^  ${command} `, "m"));
  for (const exit of [0, 1, 2, 69, 70, 78]) assert.match(stdout, new RegExp(`\\b${exit} `));
});

test("the help of every command has examples", async () => {
  for (const command of commands) {
    const { code, stdout } = await blockmill([command, "--help"]);
    assert.equal(code, 0, command);
    assert.match(stdout, new RegExp(`Examples:\n  blockmill ${command}`), command);
  }
});

const mistakes: [args: string[], message: RegExp][] = [
  [["range", "10", "5"], /FROM \(10\) is beyond TO \(5\): expected FROM <= TO/],
  [["range", "a", "b"], /'a' is invalid for argument 'from'. Expected a whole number from 0/],
  [["range", "-1", "5"], /'-1' is invalid for argument 'from'. Expected a whole number from 0/],
  [["range"], /missing required argument 'from'/],
  [["single", "1e99"], /'1e99' is invalid for argument 'n'. Expected a whole number/],
  [["single", "0x10"], /'0x10' is invalid for argument 'n'/],
  [["single", "1.5"], /'1.5' is invalid for argument 'n'/],
  [["single", ""], /'' is invalid for argument 'n'/],
  [["enqueue", "99999999999999999999"], /'99999999999999999999' is invalid for argument 'from'/],
  [["enqueue", "9007199254740992"], /'9007199254740992' is invalid for argument 'from'/],
  [["enqueue", "1", "2", "--priority", "2147483648"], /'2147483648' is invalid. Expected a whole number/],
  [["start", "--workers", "0"], /'0' is invalid. Expected a whole number from 1 to 256/],
  [["cancel"], /missing required argument 'from'/],
  [["retry"], /FROM: expected a block, or --all/],
  [["retry", "5", "--all"], /--all: expected no blocks beside it/],
  [["config", "--set", "hunter2hunter2"], /--set: expected key=value/],
  [["statos"], /unknown command 'statos' \(Did you mean status\?\)/],
  [["status", "--jsn"], /unknown option '--jsn' \(Did you mean --json\?\)/],
];

for (const [args, message] of mistakes) {
  test(`blockmill ${args.join(" ")} ends with exit code 2 and one line that says what was expected`, async () => {
    const { code, stdout, stderr } = await blockmill(args);
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.match(stderr, /^blockmill: .*\n$/);
    assert.ok(!stderr.includes("hunter2"));
    assert.equal(stdout, "");
  });
}
