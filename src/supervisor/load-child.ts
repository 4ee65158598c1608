import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { type ComputeMark, createComputeMark } from "../child/compute-mark.js";
import { type Role, roleRow } from "../child/roles.js";
import { environmentOfChildren } from "../config/environment.js";
import type { Installation } from "./installation.js";

export interface LoadOptions {
  role: Role;
  workerId: string;
  installation: Installation;
  /** Where its log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
}

/** A child's process, which waits for its settings. */
export interface LoadedChild {
  workerId: string;
  process: ChildProcess;
  /** Undefined: what it computes is not known. */
  mark: ComputeMark | undefined;
}

/** The file descriptor of the mark in the child: the first that is free behind the IPC channel's. */
export const computeFd = 4;

/**
 * Forks a child's process, which loads its code. The supervisor forks its children
 * by file, and imports none of their code.
 */
export function loadChild({ role, workerId, installation, outputFd }: LoadOptions): LoadedChild {
  const mark = createComputeMark(workerId);
  // The name and the id are arguments only so that `ps` shows who is who.
  const child = fork(path.join(installation.code, roleRow(role).file), [workerId], {
    execPath: installation.node,
    // fork hands it to spawn, though its types do not say so.
    ...{ argv0: processName(role, workerId) },
    env: environmentOfChildren(),
    stdio: ["ignore", outputFd, outputFd, "ipc", ...(mark === undefined ? [] : [mark.fd])],
  });
  // A fork that failed has no pid: whoever starts it sees that.
  child.on("error", () => {});
  return { workerId, process: child, mark };
}

/** `blockmill: worker 3`, of the child SUPERVISOR/w3; `blockmill: orchestrator` where a host has one. */
export function processName(role: Role, workerId: string): string {
  const number = roleRow(role).places === "workers" ? workerId.replace(/^.*\/\D*/, " ") : "";
  return `blockmill: ${role}${number}`;
}

/** Whether a process runs that can still be started. */
export function isLoaded({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}
