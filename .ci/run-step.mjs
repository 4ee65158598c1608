// One command with a bound on its time.

import { spawn } from "node:child_process";

/** How long a step that is told to end may take to clean up after itself. */
const farewellMs = 15_000;

/**
 * Runs a command and resolves with undefined if it ended with 0, else with what went wrong, in words. After
 * `seconds` its process group gets SIGTERM, and SIGKILL 15 seconds later. `signal` ends it in the same way.
 *
 * @param {{ command: string[], seconds: number, cwd: string, env?: Record<string, string>, signal?: AbortSignal }} order
 * @returns {Promise<string | undefined>}
 */
export function runStep({ command: [program, ...args], seconds, cwd, env = {}, signal }) {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      // A process group of its own, so that the whole of it can be ended.
      detached: true,
      stdio: ["ignore", "inherit", "inherit"],
    });
    let ended;
    let kill;
    const end = (why) => {
      if (ended !== undefined || child.pid === undefined) return;
      ended = why;
      signalGroup(child.pid, "SIGTERM");
      kill = setTimeout(() => signalGroup(child.pid, "SIGKILL"), farewellMs);
    };
    const bound = setTimeout(
      () => end(`it did not end within its ${Math.round(seconds)} s, and was stopped`),
      seconds * 1_000,
    );
    const onAbort = () => end("it was interrupted");
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (outcome) => {
      clearTimeout(bound);
      clearTimeout(kill);
      signal?.removeEventListener("abort", onAbort);
      resolve(ended ?? outcome);
    };
    child.once("error", (error) => settle(`${program}: ${error.message}`));
    child.once("exit", (code, by) => {
      // What it left running in its group would go on beside the next step.
      signalGroup(child.pid, "SIGKILL");
      settle(code === 0 ? undefined : by === null ? `exit code ${code}` : `it was ended by ${by}`);
    });
  });
}

function signalGroup(pid, name) {
  try {
    process.kill(-pid, name);
  } catch {
    // All of it has ended.
  }
}
