import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

/** Builds the tarball of what was laid out in `tree`, with its installer. Returns its file. */
export function buildTarball({ root, tree, place, out, version, fast }) {
  const name = `blockmill-${version}-linux-amd64`;
  const staged = path.join(place, name);
  mkdirSync(staged);
  execFileSync("cp", ["-al", tree, path.join(staged, "tree")]);
  cpSync(path.join(root, "packaging/install.sh"), path.join(staged, "install.sh"));
  chmodSync(path.join(staged, "install.sh"), 0o755);
  const file = path.join(out, `${name}.tar.gz`);
  const order = [
    "--sort=name",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--mtime=@${process.env.SOURCE_DATE_EPOCH}`,
  ];
  const compression = ["-I", fast ? "gzip -n1" : "gzip -n9"];
  execFileSync("tar", [...order, ...compression, "-cf", `${file}.new`, "-C", place, name]);
  renameSync(`${file}.new`, file);
  rmSync(staged, { recursive: true });
  return file;
}
