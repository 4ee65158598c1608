import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import type { BlockRef } from "../block.js";
import {
  type ChildSettings,
  type ChildState,
  type FromChild,
  protocol,
  type ToChild,
} from "../child/messages.js";
import type { Installation } from "./installation.js";

export type Role = "worker" | "orchestrator";

// The supervisor forks its children by file, and imports none of their code.
const files: Record<Role, string> = {
  worker: "src/worker/main.js",
  orchestrator: "src/orchestrator/main.js",
};

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it said made it unable to work at all. */
  fatal: string | undefined;
  livedMs: number;
}

/** A child of the supervisor, as the supervisor sees it. */
export interface Child {
  readonly role: Role;
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly state: ChildState;
  readonly doing: Record<string, unknown>;
  /** Milliseconds since it was started. */
  livedMs(): number;
  /** Milliseconds since it was last heard. */
  silentMs(): number;
  send(message: ToChild): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it began to work, or to wait for what is away. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<ChildExit>;
}

/** How long a child may take to say its first word, beside what it may be silent for. */
const startWithinMs = 30_000;

export interface LoadOptions {
  role: Role;
  workerId: string;
  installation: Installation;
  /** Where its log lines go: file descriptor 1 or 2. */
  outputFd: 1 | 2;
}

/** Forks a child's process, which loads its code, and then waits for its settings. */
export function loadChild({ role, workerId, installation, outputFd }: LoadOptions): ChildProcess {
  // The id is an argument only so that `ps` shows who is who.
  const child = fork(path.join(installation.code, files[role]), [workerId], {
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

export interface StartOptions {
  role: Role;
  settings: ChildSettings;
  /** The host's lease holds for so long from now; not above 0: it does not. */
  leaseForMs: number;
  /** Hears of the blocks that this child announces. */
  onAnnounced(block: BlockRef): void;
}

/** Gives a process that was loaded its settings: the child begins. A fork that failed counts as an exit. */
export function startChild(
  child: ChildProcess,
  { role, settings, leaseForMs, onAnnounced }: StartOptions,
): Child {
  const started = performance.now();
  // Loading the program takes its time on a busy machine: silence counts from then on.
  let heard = started + startWithinMs;
  let state: ChildState = "starting";
  let doing: Record<string, unknown> = {};
  let fatal: string | undefined;
  const send = (message: ToChild): void => {
    if (child.connected) child.send(message, () => {});
  };
  const exited = new Promise<ChildExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void =>
      resolve({ code, signal, fatal, livedMs: performance.now() - started });
    child.once("exit", end);
    if (child.pid === undefined) end(null, null);
  });
  let beReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    beReady = resolve;
  });
  child.on("message", (message: FromChild) => {
    heard = performance.now();
    if (message.type === "heartbeat") ({ state, doing } = message);
    else if (message.type === "announced") onAnnounced({ number: message.number, hash: message.hash });
    else if (message.type === "ready") beReady();
    else if (message.type === "fatal") fatal = message.message;
  });
  // First, so that a child that starts under a lease begins with work, and is ready when it does.
  if (leaseForMs > 0) send({ type: "lease", validForMs: leaseForMs });
  send({ type: "start", protocol, settings });
  return {
    role,
    workerId: settings.workerId,
    pid: child.pid,
    get state() {
      return state;
    },
    get doing() {
      return doing;
    },
    livedMs: () => performance.now() - started,
    silentMs: () => performance.now() - heard,
    send,
    kill: (signal) => {
      child.kill(signal);
    },
    ready,
    exited,
  };
}
