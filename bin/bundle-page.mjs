// Bundles the page (page/, with preact, htm and uPlot) into dist/src/web/page: one script and one style, each named by its
// content, and the licences of what is inside. It is done again only where a source has changed.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const output = path.join(root, "dist/src/web/page");
/** What ends up in the bundle. */
const bundled = ["preact", "htm", "uplot"];

export async function bundlePage() {
  const key = digestOfSources();
  const keyFile = path.join(output, "page.key");
  if (existsSync(keyFile) && readFileSync(keyFile, "utf8") === key) return;
  const { build } = await import("esbuild");
  const unfinished = `${output}.${process.pid}`;

  await build({
    absWorkingDir: root,
    entryPoints: [{ in: "page/main.ts", out: "app" }],
    bundle: true,
    minify: true,
    format: "esm",
    target: ["es2022"],
    logLevel: "warning",
    outdir: unfinished,
    entryNames: "[name]-[hash]",
  });
  writeFileSync(path.join(unfinished, "LICENSES.txt"), licences());
  writeFileSync(path.join(unfinished, "page.key"), key);
  rmSync(output, { recursive: true, force: true });
  mkdirSync(path.dirname(output), { recursive: true });
  renameSync(unfinished, output);
}

/** The page's own files, what it takes of src, and the versions of what is bundled. */
function digestOfSources() {
  const digest = createHash("sha256").update(readFileSync(fileURLToPath(import.meta.url)));
  for (const folder of ["page", "src/status", "src"])
    for (const name of readdirSync(path.join(root, folder)).sort())
      if (/\.(ts|css)$/.test(name)) digest.update(name).update(readFileSync(path.join(root, folder, name)));
  for (const name of [...bundled, "esbuild"]) digest.update(manifestOf(name).version);
  return digest.digest("hex");
}

function licences() {
  return bundled
    .map((name) => {
      const { version, license } = manifestOf(name);
      const folder = path.join(root, "node_modules", name);
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      return `${name} ${version} (${license})\n\n${file === undefined ? "" : readFileSync(path.join(folder, file), "utf8")}`;
    })
    .join("\n\n");
}

function manifestOf(name) {
  return JSON.parse(readFileSync(path.join(root, "node_modules", name, "package.json"), "utf8"));
}
