// A source's tests are found: test/FOLDER/FILE.test.ts for src/FOLDER/FILE.ts, or a test that imports it, wherever a
// file decides something. A file decides where it has a branch, a loop or a statement for PostgreSQL.

import assert from "node:assert/strict";
import { test } from "node:test";
import { alertRuleNames } from "../src/config/alert-rules.js";
import {
  commandsRunBy,
  decidesSomething,
  importsOf,
  namesIn,
  parseFile,
  parseText,
  readSource,
  type Source,
} from "./support/read-sources.js";

/** Files that decide, and whose tests are found another way, by kind. */
const alertRules = new Set(
  alertRuleNames.map((name) => `src/orchestrator/alerts/${name.replaceAll("_", "-")}.ts`),
);
const elsewhere: { kind: string; is(file: Source): boolean }[] = [
  {
    kind: "the entry of a process: the tests of commands and daemons run it",
    is: ({ name }) => name.endsWith("/main.ts"),
  },
  {
    kind: "a part of one WebAssembly module, which no test can import: test/direct compares the whole",
    is: ({ name }) => name.startsWith("src/direct/wasm/"),
  },
  {
    kind: "a rule of alerts: test/orchestrator/alerts/rules.test.ts goes through the list of them all",
    is: ({ name }) => alertRules.has(name),
  },
  {
    kind: "a command: a test runs the program with its name",
    is: ({ commands }) => commands.length > 0 && commands.every((each) => commandsRun.has(each)),
  },
];

const sources = namesIn("src").map(readSource);
const tests = namesIn("test").filter((name) => name.endsWith(".test.ts"));
const parsedTests = tests.map((name) => ({ name, tree: parseFile(name) }));
const imported = new Set(parsedTests.flatMap(({ name, tree }) => importsOf(name, tree)));
const commandsRun = new Set(parsedTests.flatMap(({ tree }) => commandsRunBy(tree)));

const lackTests = sources
  .filter(
    ({ name, decides }) =>
      decides &&
      !tests.includes(name.replace(/^src/, "test").replace(/\.ts$/, ".test.ts")) &&
      !imported.has(name),
  )
  .filter((source) => !elsewhere.some(({ is }) => is(source)))
  .map(({ name }) => name);

test("every source that decides something has a test of its name, or one that imports it", () => {
  assert.deepEqual(lackTests, []);
});

test("a command is run where the program is given its name, and not where the name only stands", () => {
  const run = (text: string) => commandsRunBy(parseText(text));
  assert.deepEqual(run('await blockmill(["init", "--json"], env);'), ["init"]);
  assert.deepEqual(run('const running = await startBlockmill(["range", "0", ...more]);'), ["range"]);
  for (const text of [
    'const status = "init";',
    'told(["init"]);',
    "blockmill(args);",
    "blockmill([command]);",
  ])
    assert.deepEqual(run(text), [], text);
});

test("a file decides where it has a branch, a loop or a statement, and not where it only says something", () => {
  const decide = (text: string) => decidesSomething(parseText(text));
  for (const text of [
    "if (a) b();",
    "const a = b ? 1 : 2;",
    "const a = b ?? c;",
    "for (const a of b) c(a);",
    "while (a) b();",
    "try { a(); } catch { b(); }",
    "const a = `\n  update jobs set x = $" + "{y}`;",
    'const a = "select 1";',
  ])
    assert.equal(decide(text), true, text);
  for (const text of [
    "export interface A { b?: string }",
    "export const a = { b: 1 };",
    "export const a = (b: number) => b * 2;",
    '// if\nexport const a = "selected";',
  ])
    assert.equal(decide(text), false, text);
});

test("only what a test imports counts, and not what it takes a type from", () => {
  const imports = (text: string) => importsOf("test/queue/a.test.ts", parseText(text));
  assert.deepEqual(imports('import { a, type B } from "../../src/queue/a.js";'), ["src/queue/a.ts"]);
  assert.deepEqual(imports('await import("../../src/queue/a.js");'), ["src/queue/a.ts"]);
  assert.deepEqual(imports('import type { A } from "../../src/queue/a.js";'), []);
  assert.deepEqual(imports('import { type A, type B } from "../../src/queue/a.js";'), []);
});
