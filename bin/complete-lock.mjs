// After `npm install`, where the registry lacks some platforms' packages: npm leaves them out of
// package-lock.json, and `npm ci` then refuses the lock ("Missing: @biomejs/cli-darwin-arm64@ from lock
// file"). This adds them as npm would, without an integrity, which cannot be known here.

import { readFileSync, writeFileSync } from "node:fs";

const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
const added = {};
for (const parent of ["@biomejs/biome", "@foundry-rs/anvil"]) {
  const entry = lock.packages[`node_modules/${parent}`];
  for (const [name, version] of Object.entries(entry.optionalDependencies)) {
    if (lock.packages[`node_modules/${name}`]) continue;
    const [, os, arch, musl] = name.match(/-(android|darwin|linux|win32)-(arm64|x64|amd64)(-musl)?$/);
    added[`node_modules/${name}`] = {
      version,
      cpu: [arch === "amd64" ? "x64" : arch],
      dev: true,
      ...(os === "linux" && parent === "@biomejs/biome" ? { libc: [musl ? "musl" : "glibc"] } : {}),
      license: "MIT OR Apache-2.0",
      optional: true,
      os: [os],
      ...(entry.engines ? { engines: entry.engines } : {}),
    };
  }
}
const order = ([a], [b]) => (a === b ? 0 : a === "" ? -1 : b === "" ? 1 : a.localeCompare(b, "en"));
lock.packages = Object.fromEntries(Object.entries({ ...lock.packages, ...added }).sort(order));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(Object.keys(added).join("\n") || "complete already");
