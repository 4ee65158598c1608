// A shell that outlives the process that started it by a moment. It holds the reading end of a pipe
// whose writing end only this process has: however this process ends, SIGKILL included, the pipe
// closes, and the shell stops what it guards and removes what it was told to.

import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Watchdog {
  /** The process to stop, instead of the one before; undefined: none (it has ended). */
  guard(pid: number | undefined): void;
  /** Does now what the end of this process would do, and resolves when it is done. */
  close(): Promise<void>;
}

/**
 * Starts a watchdog. `signal` asks the guarded process to end; after five seconds SIGKILL follows.
 * `remove` are files and folders to delete when it has ended. The watchdog does not keep this
 * process alive.
 */
export function startWatchdog(options: { signal: "QUIT" | "TERM" | "KILL"; remove?: string[] }): Watchdog {
  const shell = spawn(
    "sh",
    ["-c", script, "blockmill-test-watchdog", options.signal, ...(options.remove ?? [])],
    {
      // A session of its own: Ctrl-C in the terminal is not meant for it.
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
    },
  );
  shell.unref();
  const pipe = shell.stdin as Socket;
  pipe.unref();
  // The shell is gone only if somebody killed it; then there is nobody left to tell.
  pipe.on("error", () => {});
  return {
    guard: (pid) => pipe.write(`${pid ?? ""}\n`),
    close: () => close(shell),
  };
}

/**
 * Where to make a temporary folder. It is named before it exists, so that a watchdog knows of it
 * first: a process that dies right after making it leaves it to the watchdog.
 */
export function temporaryPath(name: string): string {
  return path.join(tmpdir(), `blockmill-${name}-${randomBytes(6).toString("hex")}`);
}

async function close(shell: ChildProcess): Promise<void> {
  if (shell.exitCode !== null || shell.signalCode !== null) return;
  shell.ref();
  const exited = once(shell, "exit");
  shell.stdin?.end();
  await exited;
}

// A process that has ended but was not waited for (Z) cannot be told from a living one by kill -0:
// in a container whose first process reaps nothing, orphans stay like that.
const script = `
trap '' HUP INT TERM
signal=$1; shift
pid=
while read -r line; do pid=$line; done
runs() {
  kill -0 "$pid" 2>/dev/null || return 1
  [ -r "/proc/$pid/stat" ] || return 0
  case $(cat "/proc/$pid/stat" 2>/dev/null) in *') Z '*) return 1 ;; esac
}
if [ -n "$pid" ] && runs; then
  kill -s "$signal" "$pid"
  waited=0
  while runs && [ "$waited" -lt 100 ]; do sleep 0.05; waited=$((waited + 1)); done
  if runs; then kill -s KILL "$pid"; fi
fi
[ "$#" -eq 0 ] || rm -rf -- "$@"
`;
