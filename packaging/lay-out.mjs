import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { bashCompletion, zshCompletion } from "./completion.mjs";
import { commandManual, configurationManual, serviceManual } from "./manual.mjs";
import { walk } from "./walk.mjs";

/**
 * Lays out `tree` as it is to stand on a machine. The code lies in a folder of its release's own, and
 * /usr/lib/blockmill/current leads to it: whoever runs through that link finds the next release there.
 */
export async function layOut(tree, { root, dist, version, dependencies, runtime }) {
  const at = (...parts) => path.join(tree, ...parts);
  const from = (...parts) => path.join(root, ...parts);
  const release = at("usr/lib/blockmill/releases", version);

  copy(path.join(dist, "src"), path.join(release, "dist/src"), (file) => !/\.(map|key)$/.test(file));
  for (const data of ["schema.sql", "migrations", "monitoring", "LICENSE"])
    copy(from(data), path.join(release, data));
  copy(from("bin/node-version.mjs"), path.join(release, "bin/node-version.mjs"));
  // It is run by the Node beside it, never by one that is found on the PATH.
  write(
    path.join(release, "bin/blockmill"),
    readFileSync(from("bin/blockmill"), "utf8").replace(/^#!.*\n/, ""),
  );
  copy(dependencies, path.join(release, "node_modules"), needed);
  writeManifest(path.join(release, "package.json"), from("package.json"), version);
  layOutNode(path.join(release, "runtime"), runtime);
  symlinkSync(`releases/${version}`, at("usr/lib/blockmill/current"));

  compileLauncher(from("packaging/launch.c"), at("usr/lib/blockmill/launch"));
  for (const script of ["alert", "setup"]) copy(from("packaging", script), at("usr/lib/blockmill", script));
  copy(from("packaging/restart-steps.conf"), at("usr/lib/blockmill/restart-steps.conf"));
  copy(from("packaging/bunyan.sh"), at("usr/lib/blockmill/bunyan"));
  copy(from("packaging/blockmill.sh"), at("usr/bin/blockmill"));
  copy(from("systemd"), at("usr/lib/systemd/system"), (file) => !file.endsWith("upkeep.conf"));
  for (const name of ["alert", "backup", "verify"]) {
    copy(
      from("systemd/upkeep.conf"),
      at(`usr/lib/systemd/system/blockmill-${name}@.service.d/50-upkeep.conf`),
    );
  }
  mkdirSync(at("usr/lib/systemd/system/multi-user.target.wants"));
  symlinkSync("../blockmill.target", at("usr/lib/systemd/system/multi-user.target.wants/blockmill.target"));
  copy(from("packaging/sysusers.conf"), at("usr/lib/sysusers.d/blockmill.conf"));
  copy(from("packaging/tmpfiles.conf"), at("usr/lib/tmpfiles.d/blockmill.conf"));
  copy(from("packaging/example.json"), at("etc/blockmill/example.json"));

  const { createProgram } = await import(pathToFileURL(path.join(dist, "src/cli/program.js")));
  const { listKeys } = await import(pathToFileURL(path.join(dist, "src/config/schema.js")));
  const program = createProgram();
  const keys = listKeys();
  const about = { version, date: new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1_000) };
  write(at("usr/share/man/man1/blockmill.1.gz"), zip(commandManual(program, about)));
  write(at("usr/share/man/man5/blockmill.json.5.gz"), zip(configurationManual(keys, about)));
  const unit = readFileSync(from("systemd/blockmill@.service"), "utf8");
  write(at("usr/share/man/man8/blockmill@.service.8.gz"), zip(serviceManual(unit, about)));
  write(at("usr/share/bash-completion/completions/blockmill"), bashCompletion(program, keys));
  write(at("usr/share/zsh/vendor-completions/_blockmill"), zshCompletion(program, keys));
  settleModes(tree);
}

/** Lets what was laid out call itself another version. */
export function renameRelease(tree, { from, to }) {
  const home = path.join(tree, "usr/lib/blockmill");
  renameSync(path.join(home, "releases", from), path.join(home, "releases", to));
  rmSync(path.join(home, "current"));
  symlinkSync(`releases/${to}`, path.join(home, "current"));
  const manifest = path.join(home, "releases", to, "package.json");
  writeManifest(manifest, manifest, to);
}

/** Not what dependencies carry for those who build on them; nor the compiler, a peer of viem's that runs nothing. */
function needed(file) {
  if (file.endsWith("/node_modules/typescript")) return false;
  return !/\.(ts|mts|cts|map|md|markdown|flow|pl|c)$|\/(\.[^/]*|_types)$/.test(file);
}

function layOutNode(to, from) {
  const node = path.join(to, "bin/node");
  copy(path.join(from, "bin/node"), node);
  copy(path.join(from, "LICENSE"), path.join(to, "LICENSE"));
  execFileSync("strip", ["--strip-unneeded", "--remove-section=.comment", "--remove-section=.note", node]);
}

/** Static: the same file runs on every distribution, whatever its C library. */
function compileLauncher(source, to) {
  execFileSync("gcc", ["-O2", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-o", to, source]);
  execFileSync("strip", ["--remove-section=.comment", "--remove-section=.note", to]);
}

function writeManifest(to, from, version) {
  const { name, license, type, description, engines, dependencies } = JSON.parse(readFileSync(from, "utf8"));
  const manifest = { name, version, description, license, private: true, type, engines, dependencies };
  write(to, `${JSON.stringify(manifest, null, 2)}\n`);
}

function copy(from, to, filter = () => true) {
  mkdirSync(path.dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, filter: (file) => file === from || filter(file) });
}

function write(to, content) {
  mkdirSync(path.dirname(to), { recursive: true });
  writeFileSync(to, content);
}

function zip(text) {
  return gzipSync(text, { level: 9 });
}

/** 0755 for folders and programs, 0644 for the rest, whatever the checkout's umask was; the example may become a secret. */
function settleModes(tree) {
  const programs =
    /^usr\/(bin\/blockmill|lib\/blockmill\/(launch|alert|setup|bunyan|releases\/[^/]+\/runtime\/bin\/node))$/;
  for (const name of walk(tree)) {
    const file = path.join(tree, name);
    const stat = lstatSync(file);
    if (stat.isSymbolicLink()) continue;
    if (stat.isDirectory() && readdirSync(file).length === 0) rmSync(file, { recursive: true });
    else if (name === "etc/blockmill/example.json") chmodSync(file, 0o640);
    else chmodSync(file, stat.isDirectory() || programs.test(name) ? 0o755 : 0o644);
  }
}
