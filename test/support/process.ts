// Real processes in tests: start them, read what they say, signal them, see that they are gone.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { programFile, projectRoot } from "./project.js";
import { startWatchdog } from "./watchdog.js";

/**
 * How long a test waits for what must happen: only a wait that would never end comes to it, also on a machine
 * ten times slower. It says nothing about speed.
 */
export const patienceMs = 120_000;

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface Program {
  child: ChildProcess;
  pid: number;
  /** Every line so far, of stdout and stderr in the order of their arrival. */
  output: readonly string[];
  /**
   * The first line of stdout or stderr, from line `from` of `output` on, that matches; lines that
   * came before the call count. Rejects with everything that was seen when the program ends without
   * such a line, or after `timeoutMs` (`patienceMs`).
   */
  line(pattern: LinePattern, options?: { timeoutMs?: number; from?: number }): Promise<string>;
  /** Settles when the program has ended; never rejects. */
  exit: Promise<Exit>;
  /** Sends a signal (SIGTERM) if the program still runs, and resolves as `exit` does. */
  kill(signal?: NodeJS.Signals): Promise<Exit>;
}

export type LinePattern = RegExp | ((line: string) => boolean);

/**
 * Starts bin/blockmill, or the JavaScript file `script`, with this Node and the given arguments.
 * `env` is added to this process's environment (undefined removes a variable); `cwd` is the checkout
 * unless stated. If this process dies, the program gets SIGTERM, and SIGKILL after five seconds.
 */
export async function spawnProgram(
  args: string[],
  options: { env?: Record<string, string | undefined>; cwd?: string; script?: string } = {},
): Promise<Program> {
  const child = spawn(process.execPath, [options.script ?? programFile, ...args], {
    cwd: options.cwd ?? projectRoot,
    // NODE_TEST_CONTEXT would make a program that happens to use node:test talk to our runner.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const watchdog = startWatchdog({ signal: "TERM" });
  watchdog.guard(child.pid);

  const exit = new Promise<Exit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", () => resolve({ code: null, signal: null }));
  }).then(async (ended) => {
    watchdog.guard(undefined);
    await watchdog.close();
    return ended;
  });
  const lines = readLines([child.stdout, child.stderr]);
  if (child.pid === undefined) throw new Error(`${process.execPath} cannot be started`);

  return {
    child,
    pid: child.pid,
    output: lines.seen,
    line: (pattern, { timeoutMs = patienceMs, from = 0 } = {}) =>
      lines.find({ pattern, timeoutMs, from, args }),
    exit,
    kill: (signal = "SIGTERM") => {
      child.kill(signal);
      return exit;
    },
  };
}

/** Whether a process runs. One that has ended and waits to be reaped (a zombie) does not. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return readStat(pid)?.state !== "Z";
}

/** The living children of a process, their children, and so on; parents first. Linux only. */
export function descendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    const stat = /^\d+$/.test(entry) ? readStat(Number(entry)) : undefined;
    if (stat === undefined || stat.state === "Z") continue;
    children.set(stat.parent, [...(children.get(stat.parent) ?? []), Number(entry)]);
  }
  const found = [pid];
  for (const parent of found) found.push(...(children.get(parent) ?? []));
  return found.slice(1);
}

/**
 * Polls a condition every few milliseconds until it is truthy, and returns what it returned. Rejects
 * after `timeoutMs` (`patienceMs`), naming `what` was waited for and the last answer. A check that throws
 * ends the wait at once.
 */
export async function waitFor<T>(
  check: () => T | Promise<T>,
  options: { what: string; timeoutMs?: number; everyMs?: number },
): Promise<Exclude<T, false | 0 | "" | null | undefined>> {
  const { what, timeoutMs = patienceMs, everyMs = 5 } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await check();
    if (answer) return answer as Exclude<T, false | 0 | "" | null | undefined>;
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; the last answer was ${JSON.stringify(answer)}`);
    }
    await sleep(everyMs);
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name may hold spaces and brackets. */
function readStat(pid: number): { state: string; parent: number } | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state, parent: Number(parent) };
}

interface Search {
  pattern: LinePattern;
  timeoutMs: number;
  from: number;
  args: string[];
}

function readLines(streams: Readable[]) {
  const seen: string[] = [];
  const changed = new Set<() => void>();
  let open = streams.length;
  const announce = () => {
    for (const notify of changed) notify();
  };
  for (const stream of streams) {
    const reader = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    reader.on("line", (line) => {
      seen.push(line);
      announce();
    });
    reader.on("close", () => {
      open -= 1;
      announce();
    });
  }

  function find({ pattern, timeoutMs, from, args }: Search): Promise<string> {
    const matches = typeof pattern === "function" ? pattern : (line: string) => pattern.test(line);
    return new Promise((resolve, reject) => {
      let next = from;
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        changed.delete(look);
        finish();
      };
      const fail = (why: string) =>
        settle(() =>
          reject(new Error([`${args.join(" ")}: ${why} ${pattern}; it said:`, ...seen].join("\n  "))),
        );
      const look = () => {
        for (; next < seen.length; next += 1) {
          const line = seen[next] ?? "";
          if (matches(line)) return settle(() => resolve(line));
        }
        if (open === 0) fail("ended without a line like");
      };
      const timer = setTimeout(() => fail(`said nothing within ${timeoutMs} ms like`), timeoutMs);
      changed.add(look);
      look();
    });
  }

  return { seen: seen as readonly string[], find };
}
