// The developer's door: installs what is missing, builds, and runs. Needs Node and npm, nothing else: where Node
// is older than package.json wants, it goes on with the pinned one from npm. Readable by Node 18.
//
//   node bin/dev.mjs test [--repeat N] [PART ...]   lint, then the tests whose path contains a PART; --without PART
//                                                   leaves out those that contain it
//   node bin/dev.mjs demo [OPTIONS]                 the demo
//   node bin/dev.mjs bench [NAME ...] [--quick]     the benchmarks
//   node bin/dev.mjs fuzz [TARGET ...] [OPTIONS]    hostile input for whatever reads what others wrote
//   node bin/dev.mjs chaos [OPTIONS]                kills, freezes and cuts, with a ledger of what was lost

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compile } from "./compile.mjs";
import { isOlder } from "./node-version.mjs";
import { continueOn, installNode, pinnedNode } from "./npm-node.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const [task, ...args] = process.argv.slice(2);
const scripts = {
  test: "dist/test/run.js",
  demo: "dist/test/demo/demo.js",
  bench: "dist/bench/run.js",
  chaos: "dist/test/chaos/main.js",
  fuzz: "dist/test/fuzz/main.js",
};
const script = Object.hasOwn(scripts, task ?? "") ? scripts[task] : undefined;

if (script === undefined) fail("usage: node bin/dev.mjs test|demo|bench|chaos|fuzz [arguments]", 2);
const wantedNode = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")).engines.node;
if (isOlder(process.versions.node, wantedNode)) await goOnWithNewerNode();
endWithParent();
process.chdir(root);
if (!installed()) install();
await build();
if (task === "test") lint();
await become(script);

/** Does not return: this process ends as the one on the newer Node does. */
async function goOnWithNewerNode() {
  const needs = `blockmill needs Node ${wantedNode}; this is ${process.version}`;
  const pinned = pinnedNode("packaging/runtime");
  if (pinned === undefined || isOlder(pinned.version, wantedNode)) {
    fail(`${needs} (${process.execPath}), and npm has none for ${process.platform}-${process.arch}`, 1);
  }
  console.log(`${needs}: going on with Node ${pinned.version} from npm`);
  try {
    installNode(pinned);
    await continueOn(pinned.node, pinned.node, process.argv.slice(1), { watched: true });
  } catch (error) {
    fail(`Node ${pinned.version} from npm: ${error.message}. Install Node ${wantedNode}`, 1);
  }
}

/** Where an older Node started this process and was killed, Ctrl-C would reach nobody any more. */
function endWithParent() {
  process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
  process.channel?.unref();
}

/** Whether node_modules holds what package-lock.json says: npm keeps its own account of it there. */
function installed() {
  const account = "node_modules/.package-lock.json";
  if (!existsSync(account)) return false;
  const there = readPackages(account);
  return Object.entries(readPackages("package-lock.json")).every(([place, wanted]) => {
    if (place === "" || !meantForThisMachine(wanted)) return true;
    return there[place]?.version === wanted.version && there[place]?.integrity === wanted.integrity;
  });
}

function readPackages(file) {
  return JSON.parse(readFileSync(file, "utf8")).packages;
}

/** Which C library a package is for (libc) only npm can tell: such a package may be missing. */
function meantForThisMachine({ os, cpu, libc }) {
  const fits = (list, name) => list === undefined || list.includes(name);
  return libc === undefined && fits(os, process.platform) && fits(cpu, process.arch);
}

function install() {
  console.log("installing dependencies (npm ci)");
  // NODE_ENV=production would leave the compiler out.
  run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

async function build() {
  await compile();
  // tsc leaves the output of a deleted source: a deleted test would run on. The page's script has many sources.
  for (const file of readdirSync("dist", { recursive: true })) {
    if (file.startsWith("src/web/page/")) continue;
    const source = file.replace(/\.js(\.map)?$/, ".ts");
    if (source !== file && !existsSync(source)) rmSync(path.join("dist", file));
  }
}

function lint() {
  runNode("node_modules/@biomejs/biome/bin/biome", ["check", "."]);
}

function runNode(file, fileArgs) {
  run(process.execPath, [file, ...fileArgs], { stdio: ["ignore", "inherit", "inherit"] });
}

function run(command, commandArgs, options) {
  const { error, status, signal } = spawnSync(command, commandArgs, options);
  if (error) fail(`${command}: ${error.message}`, 1);
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

/**
 * Goes on as that script, in this very process: signals and exit codes are its own, and Ctrl-C reaches
 * it once, with nobody in between to pass it on twice or to leave before it.
 */
async function become(file) {
  process.argv = [process.execPath, path.resolve(file), ...args];
  await import(pathToFileURL(path.resolve(file)).href);
}

function fail(message, code) {
  console.error(message);
  process.exit(code);
}
