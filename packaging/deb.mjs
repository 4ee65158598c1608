import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { walk } from "./walk.mjs";

/** Builds the Debian package of what was laid out in `tree`. Returns its file. */
export function buildDeb({ root, tree, place, out, version, fast }) {
  const staged = path.join(place, "deb");
  // The same files, by hard links.
  execFileSync("cp", ["-al", tree, staged]);
  const from = (name) => path.join(root, "packaging/debian", name);
  const doc = path.join(staged, "usr/share/doc/blockmill");
  mkdirSync(doc, { recursive: true });
  cpSync(from("copyright"), path.join(doc, "copyright"));
  const date = new Date(Number(process.env.SOURCE_DATE_EPOCH) * 1_000).toUTCString().replace("GMT", "+0000");
  const changelog = `blockmill (${version}) stable; urgency=medium\n\n  * See the repository's history.\n\n -- ${maintainer}  ${date}\n`;
  writeFileSync(path.join(doc, "changelog.gz"), gzipSync(changelog, { level: 9 }));
  const overrides = path.join(staged, "usr/share/lintian/overrides/blockmill");
  mkdirSync(path.dirname(overrides), { recursive: true });
  cpSync(from("lintian-overrides"), overrides);
  for (const file of [path.join(doc, "copyright"), path.join(doc, "changelog.gz"), overrides])
    chmodSync(file, 0o644);
  const sums = checksums(staged);

  const control = path.join(staged, "DEBIAN");
  mkdirSync(control);
  for (const script of ["preinst", "postinst", "prerm", "postrm"]) {
    cpSync(from(script), path.join(control, script));
    chmodSync(path.join(control, script), 0o755);
  }
  cpSync(from("triggers"), path.join(control, "triggers"));
  writeFileSync(path.join(control, "conffiles"), "/etc/blockmill/example.json\n");
  writeFileSync(path.join(control, "md5sums"), sums.text);
  writeFileSync(path.join(control, "control"), controlFile(version, sums.kilobytes));
  for (const file of ["triggers", "conffiles", "md5sums", "control"])
    chmodSync(path.join(control, file), 0o644);

  const file = path.join(out, `blockmill_${version}_amd64.deb`);
  const compression = fast ? ["-Zgzip", "-z1"] : ["-Zxz"];
  execFileSync("dpkg-deb", ["--root-owner-group", ...compression, "--build", staged, `${file}.new`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(`${file}.new`, file);
  rmSync(staged, { recursive: true });
  return file;
}

const maintainer = "blockmill maintainers <noreply@example.com>";

function controlFile(version, kilobytes) {
  return `Package: blockmill
Version: ${version}
Architecture: amd64
Maintainer: ${maintainer}
Installed-Size: ${kilobytes}
Depends: libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 9), systemd (>= 252)
Recommends: postgresql-client
Suggests: postgresql (>= 15)
Section: database
Priority: optional
Description: EVM chain in PostgreSQL rows
 Every block of an EVM chain is a job in a PostgreSQL table, every stored block
 is proven. A systemd service keeps a supervisor, whose workers sleep until an
 INSERT wakes them. The package brings the Node.js runtime that it needs.
`;
}

/** DEBIAN/md5sums, and what the files take. */
function checksums(staged) {
  const lines = [];
  let bytes = 0;
  for (const name of walk(staged)) {
    const stat = lstatSync(path.join(staged, name));
    if (!stat.isFile()) continue;
    bytes += Math.ceil(stat.size / 1_024) * 1_024;
    if (name.startsWith("etc/")) continue;
    lines.push(
      `${createHash("md5")
        .update(readFileSync(path.join(staged, name)))
        .digest("hex")}  ${name}\n`,
    );
  }
  return { text: lines.join(""), kilobytes: bytes / 1_024 };
}
