// Other builds of the program, for what must hold between two of them: one of an older commit, and this one with edits.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { compiledTests, projectRoot } from "./project.js";

/** A build of the program: a folder like a checkout. */
export interface Build {
  folder: string;
  /** What `node` is to be given. */
  script: string;
}

/** For node:test's `skip`: why the build of a commit cannot be made here, or false. */
export function whyNoBuild(commit: string): string | false {
  const { error, status } = spawnSync("git", ["cat-file", "-e", `${commit}^{commit}`], { cwd: projectRoot });
  if (error !== undefined) return "no git";
  return status === 0 ? false : `commit ${commit} is not in this clone: it is shallow, or no clone`;
}

/**
 * The build of a commit, from the repository itself, with this checkout's packages; with its own, from npm, where its
 * lock has other versions of them. It is kept between runs.
 */
export function buildOf(commit: string): Build {
  const kept = path.join(projectRoot, "node_modules/.cache/blockmill-builds");
  const folder = path.join(kept, commit);
  if (!existsSync(folder)) {
    mkdirSync(kept, { recursive: true });
    const unfinished = mkdtempSync(path.join(kept, "unfinished-"));
    try {
      make(commit, unfinished);
      renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return buildIn(folder);
}

function make(commit: string, folder: string): void {
  const packed = execFileSync("git", ["archive", commit], {
    cwd: projectRoot,
    maxBuffer: 1024 * 1024 * 1024,
  });
  execFileSync("tar", ["x", "-C", folder], { input: packed });
  if (hasPackagesOf(folder)) linkPackages(folder);
  else run("npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder);
  // The program alone: its tests take most of the time.
  const file = path.join(folder, "tsconfig.json");
  const settings = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...settings, include: ["src"] }));
  run(process.execPath, ["bin/compile.mjs"], folder);
}

/** Whether every package that a checkout's lock names is here, in the same version. */
function hasPackagesOf(folder: string): boolean {
  const versionsIn = (of: string) => {
    const { packages } = JSON.parse(readFileSync(path.join(of, "package-lock.json"), "utf8")) as {
      packages: Record<string, { version?: string }>;
    };
    return new Map(
      Object.entries(packages).flatMap(([name, { version }]) => (name === "" ? [] : [[name, version]])),
    );
  };
  const here = versionsIn(projectRoot);
  return [...versionsIn(folder)].every(([name, version]) => here.get(name) === version);
}

function run(program: string, args: string[], cwd: string): void {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed: ${error ?? `${stdout}${stderr}`}`);
}

/** The build that these tests belong to. */
export function thisBuild(): Build {
  return { folder: projectRoot, script: path.join(compiledTests, "../src/cli/main.js") };
}

/** A change to a file of a build: the first match goes, once. */
export interface Edit {
  file: string;
  from: string | RegExp;
  to: string;
}

/** This build with edits, in a folder to be removed. Its compiled files are edited: nothing is compiled. */
export function editedBuild(edits: readonly Edit[], files: Record<string, string> = {}): Build {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-build-"));
  const copy = (from: string, to: string) =>
    cpSync(from, path.join(folder, to), { recursive: true, preserveTimestamps: true });
  for (const name of ["package.json", "schema.sql", "migrations"]) copy(path.join(projectRoot, name), name);
  copy(path.join(compiledTests, "../src"), "dist/src");
  linkPackages(folder);
  for (const { file, from, to } of edits) {
    const place = path.join(folder, file);
    const text = readFileSync(place, "utf8");
    const edited = text.replace(from, () => to);
    if (edited === text) throw new Error(`${file} has nothing like ${from}`);
    writeFileSync(place, edited);
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return buildIn(folder);
}

function linkPackages(folder: string): void {
  symlinkSync(path.join(projectRoot, "node_modules"), path.join(folder, "node_modules"));
}

function buildIn(folder: string): Build {
  return { folder, script: path.join(folder, "dist/src/cli/main.js") };
}
