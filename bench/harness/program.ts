// Forked programs that are measured: floors, parts of blockmill, and peers. Each is forked with its
// settings, says when it is ready, and begins at "go", so that no process start is measured.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** From a program. Times are milliseconds of the system's monotonic clock, which processes share. */
export type FromProgram =
  | { type: "ready" }
  /** How much is done in all. */
  | { type: "progress"; done: number; at: number }
  | { type: "result"; result: unknown };

export interface BenchProgram<Result> {
  readonly pid: number;
  /** Resolves when the program is ready; rejects if it ends before. */
  readonly ready: Promise<void>;
  /** Begins. */
  go(): void;
  /** What it said last of how much is done. */
  done(): number;
  /** Every word on how much is done. */
  readonly progress: { done: number; at: number }[];
  /** Asks it to end what it does and to give its result. */
  finish(): Promise<Result>;
  /** Its result, when it ends by itself. */
  readonly result: Promise<Result>;
  kill(): Promise<void>;
}

export interface ForkOptions {
  file: string;
  settings: Record<string, unknown>;
  /** Another Node than this one. */
  execPath?: string;
  execArgv?: string[];
  cwd?: string;
  /** Added to the environment. */
  env?: Record<string, string>;
}

/** The file of a program in bench/programs. */
export function programFile(name: string): string {
  return fileURLToPath(new URL(`../programs/${name}.js`, import.meta.url));
}

/** Forks a program. It is killed with this process. */
export function forkProgram<Result>(options: ForkOptions): BenchProgram<Result> {
  const { file, settings, execPath = process.execPath, execArgv = [], cwd, env } = options;
  const child = fork(file, [], {
    execPath,
    execArgv,
    ...(cwd !== undefined && { cwd }),
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const words = lastWords(child);
  const progress: { done: number; at: number }[] = [];
  let beReady = (): void => {};
  let give = (_: Result): void => {};
  let fail = (_: Error): void => {};
  const ready = new Promise<void>((resolve, reject) => {
    beReady = resolve;
    child.once("exit", (code, signal) => reject(new Error(ended(file, { code, signal, words: words() }))));
  });
  const result = new Promise<Result>((resolve, reject) => {
    give = resolve;
    fail = reject;
  });
  child.once("exit", (code, signal) => fail(new Error(ended(file, { code, signal, words: words() }))));
  for (const promise of [ready, result]) promise.catch(() => {});
  child.on("message", (message: FromProgram) => {
    if (message.type === "ready") beReady();
    else if (message.type === "progress") progress.push({ done: message.done, at: message.at });
    else give(message.result as Result);
  });
  child.send({ type: "settings", settings });
  return {
    pid: child.pid ?? 0,
    ready,
    go: () => child.send({ type: "go" }),
    done: () => progress.at(-1)?.done ?? 0,
    progress,
    async finish() {
      if (child.connected) child.send({ type: "finish" });
      return result;
    },
    result,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/** The end of what it printed, for the message when it fails. */
function lastWords(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-4_000);
    });
  }
  return () => text;
}

function ended(
  file: string,
  { code, signal, words }: { code: number | null; signal: NodeJS.Signals | null; words: string },
): string {
  return `${file.split("/").at(-1)} ended (${signal ?? code}):\n${words}`;
}

/** Milliseconds of the system's monotonic clock: comparable between processes, as performance.now() is not. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
