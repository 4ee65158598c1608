// Compiles the program into dist: TypeScript, and the direct way's WebAssembly (src/direct/wasm, AssemblyScript).

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const wasm = { folder: "src/direct/wasm", entry: "index.ts", output: "dist/src/direct/block.wasm" };
const wasmOptions = [
  ...["--optimizeLevel", "3", "--runtime", "stub", "--noAssert", "--use", "abort="],
  // 4 MiB at first, at most 256.
  ...["--enable", "simd", "--initialMemory", "64", "--maximumMemory", "4096"],
];

export function compile() {
  run("node_modules/typescript/bin/tsc", []);
  compileWasm();
}

/** Takes some seconds, so it is done only where a source has changed: their digest is kept beside the output. */
function compileWasm() {
  const output = path.join(root, wasm.output);
  const key = digestOfSources();
  const keyFile = `${output}.key`;
  if (existsSync(output) && existsSync(keyFile) && readFileSync(keyFile, "utf8") === key) return;
  mkdirSync(path.dirname(output), { recursive: true });
  const unfinished = `${output}.${process.pid}`;
  const entry = path.join(wasm.folder, wasm.entry);
  run("node_modules/assemblyscript/bin/asc.js", [entry, ...wasmOptions, "--outFile", unfinished]);
  renameSync(unfinished, output);
  writeFileSync(keyFile, key);
}

function digestOfSources() {
  const digest = createHash("sha256").update(wasmOptions.join("\n"));
  for (const file of readdirSync(path.join(root, wasm.folder)).sort()) {
    digest.update(`${file}\n`).update(readFileSync(path.join(root, wasm.folder, file)));
  }
  const { version } = JSON.parse(
    readFileSync(path.join(root, "node_modules/assemblyscript/package.json"), "utf8"),
  );
  return digest.update(version).digest("hex");
}

function run(file, args) {
  const options = { cwd: root, stdio: ["ignore", "inherit", "inherit"] };
  const { error, status, signal } = spawnSync(process.execPath, [file, ...args], options);
  if (error) throw error;
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) process.exit(status ?? 1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) compile();
