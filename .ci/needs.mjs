// What a step may need besides Node and npm. Each function returns undefined, or why it is not there.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

const needs = {
  debianPostgres() {
    const home = "/usr/lib/postgresql";
    const versions = existsSync(home) ? readdirSync(home) : [];
    if (versions.some((version) => existsSync(path.join(home, version, "bin/initdb")))) return undefined;
    return "no PostgreSQL of Debian: apt-get install postgresql";
  },
  packageTools() {
    if (process.platform !== "linux" || process.arch !== "x64") return "packages are built on Linux, x86-64";
    const missing = ["gcc", "strip", "gzip", "dpkg-deb"].filter((name) => !onPath(name));
    return missing.length === 0
      ? undefined
      : `no ${missing.join(", ")}: apt-get install gcc binutils gzip dpkg`;
  },
  chromium() {
    return existsSync("/usr/bin/chromium") ? undefined : "no Chromium of Debian: apt-get install chromium";
  },
  nspawn() {
    if (process.getuid?.() !== 0) return "not root";
    return onPath("systemd-nspawn")
      ? undefined
      : "no systemd-nspawn: apt-get install systemd systemd-container";
  },
  docker() {
    if (!onPath("docker")) return "no docker on the PATH";
    return succeeds("docker", "info") ? undefined : "docker info fails: no Docker engine answers";
  },
  postgresImage() {
    const image = process.env.BLOCKMILL_TEST_POSTGRES_IMAGE ?? "postgres:18-alpine";
    if (succeeds("docker", "image", "inspect", image) || succeeds("docker", "pull", "--quiet", image))
      return undefined;
    return `${image} is neither here nor to be pulled: name one in BLOCKMILL_TEST_POSTGRES_IMAGE`;
  },
};

/** Why a need (a name above, or `tests:FOLDER/`) is not met; undefined: it is. */
export function whyMissing(need) {
  if (!need.startsWith("tests:")) return needs[need]();
  const folder = path.join("test", need.slice("tests:".length));
  return existsSync(path.join(root, folder)) ? undefined : `there is no ${folder} yet`;
}

function onPath(program) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(path.join(folder, program)));
}

function succeeds(command, ...args) {
  return spawnSync(command, args, { stdio: "ignore", timeout: 120_000 }).status === 0;
}
