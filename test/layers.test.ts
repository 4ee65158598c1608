import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { cruise, type ICruiseOptions, type ICruiseResult } from "dependency-cruiser";
import { projectRoot } from "./support/project.js";

const dumpingGround = /^(utils?|common|helpers?|types|managers?)$/;
const readsEnvironment =
  /\bprocess\s*(\.\s*env\b|\[\s*["'`]env)|\benv\b[^;]*\bfrom\s+["'](node:)?process["']/;
/** Tables whose name is put in are most likely the chain's: those of the queue are written out. */
const changesBlocks =
  /\b(delete\s+from|truncate(\s+table)?|update|merge\s+into)\s+(only\s+)?"?(\$\{|(blocks|transactions|logs|withdrawals|token_transfers)\b)/i;

test("imports in src go down the layers, never up and never in a circle", async () => {
  assert.deepEqual(await brokenRules(projectRoot), []);
});

test("only src/config reads the environment", async () => {
  const readers: string[] = [];
  for (const file of await sources()) {
    if (file.startsWith("src/config/")) continue;
    if (readsEnvironment.test(await readFile(path.join(projectRoot, file), "utf8"))) readers.push(file);
  }
  assert.deepEqual(readers, []);
});

test("statements that remove or change a block's rows stand where only the one door takes them from", async () => {
  const around: string[] = [];
  for (const file of await sources()) {
    if (file.startsWith("src/store/delete-")) continue;
    if (changesBlocks.test(await readFile(path.join(projectRoot, file), "utf8"))) around.push(file);
  }
  assert.deepEqual(around, []);
  for (const file of ["src/store/delete-blocks.ts", "src/store/delete-orphans.ts"])
    assert.match(await readFile(path.join(projectRoot, file), "utf8"), changesBlocks);
  for (const statement of ["DELETE FROM only logs", 'update "blocks" set', "truncate table withdrawals"])
    assert.match(statement, changesBlocks);
});

test("no file in src is named after a dumping ground", async () => {
  const named = (file: string) =>
    file.split("/").some((part) => dumpingGround.test(part.replace(/\..*$/, "")));
  assert.deepEqual((await sources()).filter(named), []);
});

test("the rules catch every way to break them", async (t) => {
  const violations: Record<string, [file: string, code: string]> = {
    "never-up src/db/a.ts → src/queue/b.ts": ["src/db/a.ts", 'import "../queue/b.js";'],
    "never-up src/errors.ts → src/db/c.ts": ["src/errors.ts", 'import "./db/c.js";'],
    "never-up src/store/d.ts → src/web/b.ts": [
      "src/store/d.ts",
      'import type { T } from "../web/b.js"; export type D = T;',
    ],
    "never-up src/queue/c.ts → src/status/b.ts": ["src/queue/c.ts", 'import "../status/b.js";'],
    "never-up src/status/a.ts → src/web/b.ts": ["src/status/a.ts", 'import "../web/b.js";'],
    "never-up src/web/a.ts → src/worker/b.ts": ["src/web/a.ts", 'import "../worker/b.js";'],
    "supervisor-forks-by-file src/supervisor/c.ts → src/web/b.ts": [
      "src/supervisor/c.ts",
      'import "../web/b.js";',
    ],
    "queue-knows-no-store src/queue/a.ts → src/store/b.ts": ["src/queue/a.ts", 'import "../store/b.js";'],
    "never-up src/store/a.ts → src/queue/b.ts": ["src/store/a.ts", 'import "../queue/b.js";'],
    "one-door src/orchestrator/d.ts → src/store/delete-blocks.ts": [
      "src/orchestrator/d.ts",
      'import "../store/delete-blocks.js";',
    ],
    "supervisor-forks-by-file src/supervisor/a.ts → src/worker/b.ts": [
      "src/supervisor/a.ts",
      'import "../worker/b.js";',
    ],
    "known-layer src/cli/a.ts → src/misc/b.ts": ["src/cli/a.ts", 'import "../misc/b.js";'],
    "never-up-in-chain src/chain/endpoints/a.ts → src/chain/c.ts": [
      "src/chain/endpoints/a.ts",
      'import "../c.js";',
    ],
    "never-up-in-chain src/chain/endpoint/a.ts → src/chain/endpoints/b.ts": [
      "src/chain/endpoint/a.ts",
      'import "../endpoints/b.js";',
    ],
    "known-layer src/chain/d.ts → src/chain/misc/b.ts": ["src/chain/d.ts", 'import "./misc/b.js";'],
    "no-circle src/chain/a.ts → src/chain/b.ts": ["src/chain/a.ts", 'import "./b.js";'],
    "resolvable src/cli/b.ts → ./nowhere.js": ["src/cli/b.ts", 'import "./nowhere.js";'],
    "src-ships-alone src/cli/c.ts → test/b.ts": ["src/cli/c.ts", 'import "../../test/b.js";'],
  };
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-layers-"));
  t.after(() => rm(folder, { recursive: true }));
  const layers = ["queue", "store", "worker", "web", "status", "misc", "chain/endpoints", "chain/misc"];
  const innocent = layers.map((layer) => [`src/${layer}/b.ts`, "export type T = 1;"]);
  const allowed = [
    ["src/web/c.ts", 'import "../status/b.js"; import "../queue/b.js"; import "../store/b.js";'],
    ["src/status/c.ts", 'import "../queue/b.js"; import "../store/b.js";'],
    ["src/cli/d.ts", 'import "../status/b.js";'],
  ];
  const circle = ["src/chain/b.ts", 'import { a } from "./a.js"; export type B = typeof a;'];
  const files = [
    ...innocent,
    ...allowed,
    circle,
    ["src/pipeline/change-rows.ts", 'import "../store/delete-blocks.js";'],
    ["src/store/delete-blocks.ts", ""],
    ["src/db/c.ts", ""],
    ["src/chain/c.ts", ""],
    ["test/b.ts", ""],
    ...Object.values(violations),
  ];
  for (const [file = "", code = ""] of files) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), code);
  }

  assert.deepEqual(await brokenRules(folder), Object.keys(violations).sort());
});

/** Each violation as "rule from → to". */
async function brokenRules(baseDir: string): Promise<string[]> {
  const rules: { forbidden: []; options: ICruiseOptions } = createRequire(import.meta.url)(
    `${projectRoot}.dependency-cruiser.cjs`,
  );
  const { output } = await cruise(["src"], {
    ...rules.options,
    baseDir,
    validate: true,
    ruleSet: { forbidden: rules.forbidden },
  });
  const { summary } = output as ICruiseResult;
  assert.ok(summary.totalCruised > 0);
  return summary.violations.map(({ rule, from, to }) => `${rule.name} ${from} → ${to}`).sort();
}

async function sources(): Promise<string[]> {
  const files = await readdir(path.join(projectRoot, "src"), { recursive: true });
  return files.filter((file) => file.endsWith(".ts")).map((file) => `src/${file}`);
}
