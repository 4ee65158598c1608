import assert from "node:assert/strict";
import { test } from "node:test";
import { CommanderError } from "commander";
import { createProgram } from "../../src/cli/program.js";
import { namesIn, readSource } from "../support/read-sources.js";

test("every command that a source gives the program is in it, with a description", () => {
  const defined = namesIn("src/cli").flatMap((name) => readSource(name).commands);
  const program = createProgram();
  assert.deepEqual(program.commands.map((command) => command.name()).sort(), defined.sort());
  for (const command of program.commands) assert.notEqual(command.description(), "", command.name());
});

test("--set may be given again, in order, before a command and after it", () => {
  const program = createProgram();
  const options = program.parseOptions(["--set", "a=1", "--set", "b=2", "status"]);
  assert.deepEqual([program.opts().set, options.operands], [["a=1", "b=2"], ["status"]]);
});

test("a complaint is one line of ours, and nothing is exited by the parser", async () => {
  let said = "";
  const program = createProgram();
  program.configureOutput({
    writeErr(text) {
      said += text;
    },
  });
  await assert.rejects(program.parseAsync(["node", "blockmill", "statos"]), CommanderError);
  assert.equal(said, "blockmill: unknown command 'statos' (Did you mean status?)\n");
});
