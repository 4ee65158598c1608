// Builds what is installed on bare metal: blockmill_VERSION_amd64.deb, and a tarball with install.sh for
// other distributions. Both hold the compiled program, its production dependencies and a Node of their own.
//
//   node packaging/package.mjs [--out DIR] [--version V] [--dist DIR] [--fast] [--only deb|tarball] [--also V]
//
//   --out       where to (dist-package)
//   --version   another version than package.json's
//   --dist      this compiled output, instead of compiling
//   --fast      compress little
//   --also      the same once more, under this version: a successor to try upgrades with

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { compile } from "../bin/compile.mjs";
import { installNode, pinnedNode } from "../bin/npm-node.mjs";
import { buildDeb } from "./deb.mjs";
import { layOut, renameRelease } from "./lay-out.mjs";
import { buildTarball } from "./tarball.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values: options } = parseArgs({
  options: {
    out: { type: "string", default: path.join(root, "dist-package") },
    version: { type: "string", default: readJson("package.json").version },
    dist: { type: "string" },
    fast: { type: "boolean", default: false },
    only: { type: "string" },
    also: { type: "string" },
  },
});

if (process.platform !== "linux" || process.arch !== "x64") fail("packages are built on Linux, x86-64");
for (const program of ["gcc", "strip", "gzip", ...(options.only === "tarball" ? [] : ["dpkg-deb"])]) {
  if (!onPath(program)) fail(`${program} is missing: apt-get install gcc binutils gzip dpkg`);
}
if (options.dist === undefined) await compile();
const runtime = pinnedNode("packaging/runtime");
installNode(runtime);
const dist = path.resolve(options.dist ?? path.join(root, "dist"));
const place = mkdtempSync(path.join(tmpdir(), "blockmill-package-"));
// The same source gives the same bytes.
process.env.SOURCE_DATE_EPOCH ??= git("log", "-1", "--format=%ct") || "0";
try {
  const tree = path.join(place, "tree");
  await layOut(tree, {
    root,
    dist,
    version: options.version,
    dependencies: installed(
      ["package.json", "package-lock.json"],
      ["--omit=dev", "--omit=peer", "--omit=optional"],
    ),
    runtime: runtime.home,
  });
  mkdirSync(options.out, { recursive: true });
  build(tree, options.version);
  if (options.also !== undefined) {
    renameRelease(tree, { from: options.version, to: options.also });
    build(tree, options.also);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}

function build(tree, version) {
  const order = { root, tree, place, out: path.resolve(options.out), version, fast: options.fast };
  if (options.only !== "tarball") console.log(buildDeb(order));
  if (options.only !== "deb") console.log(buildTarball(order));
}

/**
 * A node_modules as a lock file says, from the cache if it was made before: npm checks each package's
 * integrity. Install scripts do not run (.npmrc).
 */
function installed(files, args) {
  const sources = [...files, ".npmrc"].map((file) => path.join(root, file));
  const key = createHash("sha256").update(args.join(" "));
  for (const file of sources) key.update(readFileSync(file));
  const cache = path.join(root, "node_modules/.cache/blockmill-package", key.digest("hex").slice(0, 16));
  if (existsSync(cache)) return path.join(cache, "node_modules");
  mkdirSync(path.dirname(cache), { recursive: true });
  const made = mkdtempSync(`${cache}-`);
  try {
    for (const file of sources) cpSync(file, path.join(made, path.basename(file)));
    execFileSync("npm", ["ci", ...args, "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd: made,
      stdio: "inherit",
    });
    renameSync(made, cache);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    // Another build made the same meanwhile.
    if (!existsSync(cache)) throw error;
  }
  return path.join(cache, "node_modules");
}

function onPath(program) {
  return (process.env.PATH ?? "").split(":").some((folder) => existsSync(path.join(folder, program)));
}

function git(...args) {
  try {
    return execFileSync("git", args, { cwd: root, stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .trim();
  } catch {
    return "";
  }
}

function readJson(file) {
  return JSON.parse(readFileSync(path.join(root, file), "utf8"));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
