// docs/DEPENDENCIES.md is true, and what ships runs no script when it is installed.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { projectRoot } from "./support/project.js";

interface Locked {
  dev?: boolean;
  devOptional?: boolean;
  optional?: boolean;
  peer?: boolean;
  hasInstallScript?: boolean;
  integrity?: string;
  optionalDependencies?: Record<string, string>;
}

const read = (file: string): Promise<string> => readFile(path.join(projectRoot, file), "utf8");

/** What the package holds: bunyan's optional ones and viem's peers are left out of it. */
async function shipped(): Promise<[name: string, locked: Locked][]> {
  const { packages } = JSON.parse(await read("package-lock.json")) as { packages: Record<string, Locked> };
  return Object.entries(packages)
    .filter(([place, { dev, devOptional, optional, peer }]) => {
      return place !== "" && !dev && !devOptional && !optional && !peer;
    })
    .map(([place, locked]) => [place.replace(/^.*node_modules\//, ""), locked]);
}

test("the page names every dependency, and no other", async () => {
  const page = await read("docs/DEPENDENCIES.md");
  const { dependencies, devDependencies } = JSON.parse(await read("package.json")) as Record<
    "dependencies" | "devDependencies",
    Record<string, string>
  >;
  const rows = page.split("\n").filter((line) => line.startsWith("| `"));
  const named = rows.flatMap((row) =>
    [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name),
  );
  const wanted = Object.keys({ ...dependencies, ...devDependencies });
  assert.deepEqual(
    named.filter((name) => name !== "@types/*").sort(),
    wanted.filter((name) => !name.startsWith("@types/")).sort(),
  );
  const others = (await shipped()).length - Object.keys(dependencies).length;
  assert.match(page, new RegExp(`With them come ${others} others`));
});

test("nothing that ships has an install script, and the lock holds the integrity of all of it", async () => {
  const packages = await shipped();
  assert(packages.length > 20);
  for (const [name, { hasInstallScript, integrity }] of packages) {
    assert(!hasInstallScript, `${name} wants to run a script when it is installed`);
    assert.match(integrity ?? "", /^sha512-/, name);
  }
  assert.match(await read(".npmrc"), /^ignore-scripts=true$/m);
});

for (const folder of ["", "packaging/runtime/", "test/nodes/22/", "test/nodes/26/"]) {
  test(`${folder}package-lock.json is complete for every platform, with an integrity for each package`, async () => {
    const { packages } = JSON.parse(await read(`${folder}package-lock.json`)) as {
      packages: Record<string, Locked>;
    };
    for (const [place, { integrity, optionalDependencies = {} }] of Object.entries(packages)) {
      if (place !== "") assert.match(integrity ?? "", /^sha512-/, place);
      for (const name of Object.keys(optionalDependencies)) {
        const within = [`${place}/node_modules/${name}`, `node_modules/${name}`];
        assert(
          within.some((each) => packages[each] !== undefined),
          `${name}, which ${place} may need, is not in the lock`,
        );
      }
    }
  });
}
