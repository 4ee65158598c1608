import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { projectRoot } from "../../test/support/project.js";
import { type BenchProgram, type ForkOptions, forkProgram } from "./program.js";

/** Where the peers lie: a package of their own, with a lockfile of its own. */
export const peersFolder = `${projectRoot}bench/peers/`;

export interface Peers {
  /** Forks a program of bench/peers; installs them first, if they are not there. */
  fork<Result>(file: string, options: Omit<ForkOptions, "file" | "cwd">): BenchProgram<Result>;
  /** The Node that runs them: the one that runs blockmill. */
  node(): string;
  /** The peers' versions, in words; empty if none was used. */
  describe(): string;
}

export function createPeers(say: (line: string) => void): Peers {
  let used = false;
  const prepare = (): void => {
    if (!used && !installed()) install(say);
    used = true;
  };
  return {
    node() {
      prepare();
      return process.execPath;
    },
    fork(file, options) {
      prepare();
      return forkProgram({ ...options, file: peersFolder + file, cwd: peersFolder });
    },
    describe() {
      if (!used) return "";
      const { dependencies } = readPackages("package.json");
      const named = [
        "graphile-worker",
        "pg-boss",
        "ponder",
        "@subsquid/evm-processor",
        "@subsquid/typeorm-store",
      ];
      return named.map((name) => `${name} ${dependencies[name]}`).join(", ");
    },
  };
}

function installed(): boolean {
  const account = "node_modules/.package-lock.json";
  if (!existsSync(peersFolder + account)) return false;
  const there = readPackages(account).packages;
  const wanted = Object.entries(readPackages("package-lock.json").packages);
  // An optional package that is for another machine is not there.
  return wanted.every(
    ([place, { version, optional }]) => place === "" || optional || there[place]?.version === version,
  );
}

function install(say: (line: string) => void): void {
  say("installing the peers (npm ci in bench/peers): once, some minutes");
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status, error } = spawnSync("npm", args, {
    cwd: peersFolder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`npm ci in bench/peers failed (${error?.message ?? status})`);
}

interface PackageFile {
  dependencies: Record<string, string>;
  packages: Record<string, { version?: string; optional?: boolean }>;
}

function readPackages(file: string): PackageFile {
  return JSON.parse(readFileSync(peersFolder + file, "utf8")) as PackageFile;
}
