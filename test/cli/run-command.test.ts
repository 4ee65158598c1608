import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Command } from "commander";
import { type Action, run } from "../../src/cli/run-command.js";
import { ConfigError, DatabaseUnavailableError, UsageError } from "../../src/errors.js";

/** Runs `blockmill made-up A --flag ...` with this action. */
async function runMadeUp(
  t: TestContext,
  action: Action<{ flag?: boolean }, [string]>,
  args: string[] = [],
): Promise<{ code: unknown; stderr: string }> {
  let stderr = "";
  const write = t.mock.method(process.stderr, "write", (text: string) => {
    stderr += text;
    return true;
  });
  const before = process.exitCode;
  try {
    const program = new Command("blockmill").option("--set <key=value>", "", (text) => [text]);
    program.command("made-up").argument("<a>").option("--flag").action(run(action));
    await program.parseAsync(["node", "blockmill", "made-up", "A", ...args]);
    return { code: process.exitCode, stderr };
  } finally {
    process.exitCode = before;
    write.mock.restore();
  }
}

const url = "postgresql://someone:hunter2hunter2@127.0.0.1/chain";
const withSecret = ["--set", `database.url=${url}`];

test("an action gets its session, its options beside the global ones, and its arguments; what it returns is the exit code", async (t) => {
  const { code, stderr } = await runMadeUp(
    t,
    async ({ config }, { flag, set }, a) => {
      assert.deepEqual([config.pipeline.batch_size, flag, set, a], [7, true, ["pipeline.batch_size=7"], "A"]);
      return 1;
    },
    ["--flag", "--set", "pipeline.batch_size=7"],
  );
  assert.deepEqual([code, stderr], [1, ""]);
});

test("what goes wrong is one line without secrets, with advice where there is some, and the error's exit code", async (t) => {
  const cases: [Error, number, RegExp][] = [
    [new UsageError("TO: too far"), 2, /^blockmill: TO: too far \(see blockmill made-up --help\)\n$/],
    [new ConfigError("it is wrong"), 78, /^blockmill: it is wrong\n$/],
    [
      new DatabaseUnavailableError(`no answer from ${url}`),
      69,
      /^blockmill: no answer from \S+ \(does database\.url name a server that runs\?\)\n$/,
    ],
  ];
  for (const [error, exitCode, line] of cases) {
    const { code, stderr } = await runMadeUp(t, () => Promise.reject(error), withSecret);
    assert.equal(code, exitCode);
    assert.match(stderr, line);
    assert.doesNotMatch(stderr, /hunter2/);
  }
});

test("a defect is called one, with its stack, and without secrets there either", async (t) => {
  const { code, stderr } = await runMadeUp(
    t,
    () => Promise.reject(new Error(`broken at ${url}`)),
    withSecret,
  );
  assert.equal(code, 70);
  assert.match(stderr, /This is a defect of blockmill\.\nError: broken at .*\n +at /);
  assert.doesNotMatch(stderr, /hunter2/);
});

test("a configuration that is wrong runs no action", async (t) => {
  const { code, stderr } = await runMadeUp(t, () => assert.fail("it ran"), [
    "--set",
    "pipeline.batch_size=many",
  ]);
  assert.equal(code, 78);
  assert.match(stderr, /pipeline\.batch_size/);
});
