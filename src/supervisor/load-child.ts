import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { type Role, roleRow } from "../child/roles.js";
import type { Installation } from "./installation.js";

export interface LoadOptions {
  role: Role;
  workerId: string;
  installation: Installation;
  /** Where its log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
}

/**
 * Forks a child's process, which loads its code, and then waits for its settings. The supervisor forks its children
 * by file, and imports none of their code.
 */
export function loadChild({ role, workerId, installation, outputFd }: LoadOptions): ChildProcess {
  // The id is an argument only so that `ps` shows who is who.
  const child = fork(path.join(installation.code, roleRow(role).file), [workerId], {
    execPath: installation.node,
    stdio: ["ignore", outputFd, outputFd, "ipc"],
  });
  // A fork that failed has no pid: whoever starts it sees that.
  child.on("error", () => {});
  return child;
}

/** Whether a process runs that can still be started. */
export function isLoaded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}
