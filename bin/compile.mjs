// Compiles the program into dist: TypeScript, the direct way's WebAssembly (AssemblyScript: src/direct/wasm, and what
// codegen makes of src/fields), and the page (page/).

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundlePage } from "./bundle-page.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const wasm = {
  written: "src/direct/wasm",
  generator: "dist/codegen/assembly.js",
  /** Where the sources are put together. */
  sources: "dist/assembly",
  entry: "index.ts",
  output: "dist/src/direct/block.wasm",
};
const wasmOptions = [
  ...["--optimizeLevel", "3", "--runtime", "stub", "--noAssert", "--use", "abort="],
  // 4 MiB at first, at most 256.
  ...["--enable", "simd", "--initialMemory", "64", "--maximumMemory", "4096"],
];

export async function compile() {
  run("node_modules/typescript/bin/tsc", []);
  run("node_modules/typescript/bin/tsc", ["--project", "page"]);
  await compileWasm();
  await bundlePage();
}

/** Takes some seconds, so it is done only where a source has changed: their digest is kept beside the output. */
async function compileWasm() {
  const output = path.join(root, wasm.output);
  const sources = await readSources();
  const key = digestOf(sources);
  const keyFile = `${output}.key`;
  if (existsSync(output) && existsSync(keyFile) && readFileSync(keyFile, "utf8") === key) return;
  putTogether(sources);
  mkdirSync(path.dirname(output), { recursive: true });
  const unfinished = `${output}.${process.pid}`;
  const entry = path.join(wasm.sources, wasm.entry);
  run("node_modules/assemblyscript/bin/asc.js", [entry, ...wasmOptions, "--outFile", unfinished]);
  renameSync(unfinished, output);
  writeFileSync(keyFile, key);
}

/** The text of each file: those that are written by hand, and those that follow from the fields. */
async function readSources() {
  const written = readdirSync(path.join(root, wasm.written)).sort();
  const { generatedAssembly } = await import(pathToFileURL(path.join(root, wasm.generator)));
  return [
    ...written.map((file) => [file, readFileSync(path.join(root, wasm.written, file), "utf8")]),
    ...Object.entries(generatedAssembly()).map(([file, text]) => [`generated/${file}`, text]),
  ];
}

function putTogether(sources) {
  const folder = path.join(root, wasm.sources);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(path.join(folder, "generated"), { recursive: true });
  for (const [file, text] of sources) writeFileSync(path.join(folder, file), text);
}

function digestOf(sources) {
  const digest = createHash("sha256").update(wasmOptions.join("\n"));
  for (const [file, text] of sources) digest.update(`${file}\n`).update(text);
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

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await compile();
