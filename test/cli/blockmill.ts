// The program as its users run it, to its end.

import { fileURLToPath } from "node:url";
import { type Program, spawnProgram } from "../support/process.js";
import { compiledTests, programFile, projectRoot } from "../support/project.js";
import { describeStuck } from "../support/stuck.js";

// bin/blockmill runs what lies in dist. Tests that were compiled elsewhere run what lies beside them.
const compiledProgram = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));
export const ownScript = compiledTests === `${projectRoot}dist/test/` ? programFile : compiledProgram;

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running extends Program {
  /** Rejects, with all that can be known, when it does not end for so long that something is wrong. */
  ended: Promise<Ended>;
}

/** Far beyond what any command of the tests takes, on a machine that others use too; a test file has fifteen minutes. */
const stuckAfterMs = 240_000;

export type Environment = Record<string, string | undefined>;

/** Starts the program, or the `script` of another build. No variable of the tests' own environment configures it. */
export async function startBlockmill(
  args: string[],
  env: Environment = {},
  script = ownScript,
): Promise<Running> {
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
  const stuck = stuckAfter(program, env.BLOCKMILL_DATABASE_URL);
  const all = Promise.all([program.exit, closed]).then(([{ code }]) => ({ code, ...said }));
  const ended = Promise.race([all, stuck.promise]).finally(stuck.cancel);
  // Not every test asks for its end.
  ended.catch(() => {});
  return { ...program, ended };
}

/** Runs the program to its end. */
export async function blockmill(args: string[], env: Environment = {}, script = ownScript): Promise<Ended> {
  const program = await startBlockmill(args, env, script);
  return program.ended;
}

/** Rejects when the time is up, and kills what is left. */
function stuckAfter(program: Program, databaseUrl: string | undefined) {
  let timer: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      void describeStuck(program, databaseUrl).then((description) => {
        program.child.kill("SIGKILL");
        reject(new Error(`it did not end within ${stuckAfterMs} ms; ${description}`));
      }, reject);
    }, stuckAfterMs);
    timer.unref();
  });
  return { promise, cancel: () => clearTimeout(timer) };
}
