// Programs on a real terminal: util-linux's `script` gives them one. What they draw is read as a screen.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readlinkSync } from "node:fs";
import { waitFor } from "./process.js";
import { startWatchdog } from "./watchdog.js";

/** For node:test's `skip`. */
export const noTerminal =
  spawnSync("script", ["--version"]).error === undefined
    ? false
    : "no `script` on the PATH (Debian: bsdutils; elsewhere: util-linux)";

/** How the control character ESC is written in what tests read. */
const escapeSign = "␛";

export interface OnTerminal {
  /** Everything that was written to the terminal so far, with ESC as ␛. */
  readonly output: string;
  /** Presses keys: `\u0003` is Ctrl-C. */
  press(keys: string): void;
  /** Gives the terminal another size, of which its program is told. */
  resize(size: { columns: number; rows: number }): void;
  /** Waits until what was written matches. */
  says(pattern: RegExp): Promise<void>;
  /** The exit code of the program, which a shell would show. */
  readonly ended: Promise<number | null>;
}

/** Starts a Node program on a terminal of its own. */
export function startOnTerminal(
  script: string,
  args: string[],
  { env, columns = 100 }: { env: Record<string, string | undefined>; columns?: number },
): OnTerminal {
  const quoted = [process.execPath, script, ...args]
    .map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
    .join(" ");
  const command = `stty cols ${columns} rows 50; exec ${quoted}`;
  const child = spawn("script", ["--quiet", "--return", "--flush", "--command", command, "/dev/null"], {
    // A shell that knows all of it: /bin/sh.
    env: { ...process.env, SHELL: "/bin/sh", TERM: "xterm", NODE_TEST_CONTEXT: undefined, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const watchdog = startWatchdog({ signal: "TERM" });
  watchdog.guard(child.pid);
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text.replaceAll("\u001b", escapeSign);
  });
  const ended = once(child, "close").then(async ([code]) => {
    watchdog.guard(undefined);
    await watchdog.close();
    return code as number | null;
  });
  return {
    get output() {
      return output;
    },
    press(keys) {
      child.stdin.write(keys);
    },
    resize({ columns, rows }) {
      // `script` has one child, whose standard input is the terminal.
      const [inside] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ");
      const terminal = readlinkSync(`/proc/${inside}/fd/0`);
      spawnSync("stty", ["-F", terminal, "cols", String(columns), "rows", String(rows)], {
        stdio: "inherit",
      });
    },
    async says(pattern) {
      await waitFor(() => pattern.test(output), { what: `${pattern} on the terminal` }).catch(
        (error: Error) => {
          throw new Error(`${error.message}; it shows:\n${output.slice(-4_000)}`);
        },
      );
    },
    ended,
  };
}

/** The lines that a terminal shows after all of it. Knows what our programs write, and throws at anything else. */
export function screenOf(output: string): string[] {
  const lines: string[][] = [[]];
  let row = 0;
  let column = 0;
  for (const [part] of output.matchAll(/␛\[[?\d;]*[A-Za-z]|␛.|[^␛]/gu)) {
    const line = lines[row] ?? [];
    lines[row] = line;
    if (part === "\n") row += 1;
    else if (part === "\r") column = 0;
    else if (part === "␛[K") line.length = Math.min(line.length, column);
    else if (/^␛\[[\d;]*m$/.test(part)) continue;
    else if (part.startsWith(escapeSign))
      throw new Error(`a sequence that moves more than a line: ${JSON.stringify(part)}`);
    else {
      while (line.length < column) line.push(" ");
      line[column] = part;
      column += 1;
    }
  }
  return lines.map((line) => (line ?? []).join("").trimEnd());
}
