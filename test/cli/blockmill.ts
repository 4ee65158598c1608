// The program as its users run it, to its end.

import { fileURLToPath } from "node:url";
import { type Program, spawnProgram } from "../support/process.js";
import { compiledTests, programFile, projectRoot } from "../support/project.js";

// bin/blockmill runs what lies in dist. Tests that were compiled elsewhere run what lies beside them.
const compiledProgram = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
const script = compiledTests === `${projectRoot}dist/test/` ? programFile : compiledProgram;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running extends Program {
  ended: Promise<Ended>;
}

export type Environment = Record<string, string | undefined>;

/** Starts the program. No variable of the tests' own environment configures it. */
export async function startBlockmill(args: string[], env: Environment = {}): Promise<Running> {
  const unset = Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => name.startsWith("BLOCKMILL_") && !name.startsWith("BLOCKMILL_TEST_"))
      .map((name) => [name, undefined]),
  );
  const program = await spawnProgram(args, { script, env: { ...unset, ...env } });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    program.child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
    });
  }
  const closed = new Promise((resolve) => program.child.once("close", resolve));
  const ended = Promise.all([program.exit, closed]).then(([{ code }]) => ({ code, ...said }));
  return { ...program, ended };
}

/** Runs the program to its end. */
export async function blockmill(args: string[], env: Environment = {}): Promise<Ended> {
  const program = await startBlockmill(args, env);
  return program.ended;
}
