import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { programFile } from "../support/project.js";
import { startWatchdog } from "../support/watchdog.js";

export interface RunningProgram {
  pid: number;
  /** Its exit code, when it has ended; null: a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Asks it to end: once to finish what it holds, twice to give it back. */
  ask(): void;
}

/**
 * Starts the real program, bin/blockmill, as a process of its own. What it writes goes to `logFile`, or to
 * this terminal. It is outside of the terminal's foreground group: Ctrl-C reaches the demo alone, which
 * then asks it to end. If the demo dies, it is ended too.
 */
export function startProgram(
  args: string[],
  { configFile, logFile }: { configFile: string; logFile?: string },
): RunningProgram {
  const output = logFile === undefined ? "inherit" : openSync(logFile, "a");
  const child = spawn(process.execPath, [programFile, "-c", configFile, ...args], {
    detached: true,
    stdio: ["ignore", output, output],
  });
  if (typeof output === "number") closeSync(output);
  const watchdog = startWatchdog({ signal: "TERM" });
  watchdog.guard(child.pid);
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  }).finally(async () => {
    watchdog.guard(undefined);
    await watchdog.close();
  });
  // Awaited later; until then a failure must not count as unhandled.
  exited.catch(() => {});
  return { pid: child.pid ?? 0, exited, ask: () => child.kill("SIGTERM") };
}

/** The last lines of a log, to say why a program ended. */
export function lastLines(logFile: string, count: number): string[] {
  return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-count);
}
