// A Node from npm, beside the one that runs this. Readable by Node 18, which may be the one.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The Node that package.json and package-lock.json of `folder` (from the checkout) pin for this machine.
 * `node` is the program, and `existsSync(node)` tells whether it is here already. Undefined where npm has none.
 */
export function pinnedNode(folder) {
  const { dependencies, optionalDependencies } = readJson(path.join(root, folder, "package.json"));
  const name = `node-${process.platform}-${process.arch}`;
  const version = { ...dependencies, ...optionalDependencies }[name];
  if (version === undefined) return undefined;
  // Named after what it holds, so that it never changes: others may be running it.
  const place = path.join(root, ".node", `${version}-${process.platform}-${process.arch}`);
  const home = path.join(place, "node_modules", name);
  return { version, folder, place, home, node: path.join(home, "bin/node") };
}

/**
 * Installs a pinned Node where it is not here yet. npm checks its integrity against the lock. Its install
 * script is neither needed nor run.
 */
export function installNode({ folder, place, node, version }) {
  if (existsSync(node)) return;
  mkdirSync(path.dirname(place), { recursive: true });
  const made = mkdtempSync(`${place}.`);
  try {
    for (const file of ["package.json", "package-lock.json"]) {
      cpSync(path.join(root, folder, file), path.join(made, file));
    }
    const options = ["--ignore-scripts", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"];
    const { error, status, signal } = spawnSync("npm", ["ci", ...options], {
      cwd: made,
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (error || status !== 0) throw new Error(`npm ci failed (${error?.message ?? signal ?? status})`);
    if (!existsSync(path.join(made, path.relative(place, node)))) {
      throw new Error(`npm installed no Node ${version} for ${process.platform}-${process.arch}`);
    }
    renameSync(made, place);
  } catch (error) {
    // Another process made the same meanwhile.
    if (!existsSync(node)) throw error;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/**
 * Lets `command` go on in place of this process, with `node` first on the PATH of all that it starts. Signals
 * reach it, its end is this process's end, and it hears it ("disconnect") if this process is killed.
 * Throws only where it cannot be started.
 */
export function continueOn(node, command, args, { watched = false } = {}) {
  let child;
  // Before the start: what is sent from its first moment on waits here, since spawn returns in this same turn.
  const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR2"];
  const passOn = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, passOn);
  child = spawn(command, args, {
    env: environmentOf(node),
    stdio: watched ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
  });
  return new Promise((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      for (const each of signals) process.off(each, passOn);
      if (signal === null) process.exit(code);
      process.kill(process.pid, signal);
    });
  });
}

/** npm tells the scripts that it runs which Node it runs on. */
function environmentOf(node) {
  const { PATH = "", ...others } = process.env;
  return {
    ...others,
    PATH: `${path.dirname(node)}${path.delimiter}${PATH}`,
    NODE: node,
    npm_node_execpath: node,
  };
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}
