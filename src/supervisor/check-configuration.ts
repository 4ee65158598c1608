import { fork } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import type { Config } from "../config/schema.js";
import { ConfigError } from "../errors.js";
import type { Installation } from "./installation.js";

/** Longer than every endpoint may take to answer, one after the other. */
const checkWithinMs = 120_000;

/** What `blockmill start --check` sends to the daemon that forked it. */
export interface Checked {
  type: "checked";
  config: Config;
}

/**
 * Lets a release read and check the configuration that this daemon was started with, as it is now: its
 * file, the credentials, the environment, the flags. That release may know keys that this process does not.
 * Returns the configuration; throws a ConfigError with the release's own words when it is wrong.
 */
export async function checkConfiguration(
  installation: Installation,
  args = process.argv.slice(2),
): Promise<Config> {
  const child = fork(path.join(installation.code, "src/cli/main.js"), [...args, "--check"], {
    execPath: installation.node,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    timeout: checkWithinMs,
    killSignal: "SIGKILL",
  });
  let checked: Checked | undefined;
  let said = "";
  child.on("message", (message: Checked) => {
    if (message.type === "checked") checked = message;
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-10_000);
  });
  const [code] = (await once(child, "close")) as [number | null];
  if (code === 0 && checked !== undefined) return checked.config;
  throw new ConfigError(reason(said) ?? `the configuration could not be checked (exit code ${code})`);
}

/** The program's last word, without its name and the journal's priority. Log lines are JSON and come before. */
function reason(said: string): string | undefined {
  const lines = said.split("\n").filter((line) => /^(<\d>)?blockmill: /.test(line));
  return lines.at(-1)?.replace(/^(<\d>)?blockmill: /, "");
}
