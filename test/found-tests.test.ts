// A source's tests are found: test/FOLDER/FILE.test.ts for src/FOLDER/FILE.ts, or a test that imports it, wherever a
// file decides something. A file decides where it has a branch, a loop or a statement for PostgreSQL.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decidesSomething,
  importsOf,
  namesIn,
  parseFile,
  parseText,
  readSource,
  type Source,
  stringsOf,
} from "./support/read-sources.js";

/** Files that decide, and whose tests are found another way, by kind. */
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
    kind: "a command: a test runs the program with its name",
    is: ({ commands }) => commands.length > 0 && commands.every((each) => words.has(each)),
  },
];

/**
 * Files that decide and are only tested from further up, such as a child by the tests of the daemon. No file may be added:
 * a new one has a test. One that has a test by now is taken away.
 */
const fromFurtherUp: readonly string[] = [
  "src/chain/endpoint/http-exchange.ts",
  "src/chain/endpoint/kept-connections.ts",
  "src/chain/endpoint/ws-wire.ts",
  "src/chain/endpoints/try-each.ts",
  "src/chain/heads/follow-tags.ts",
  "src/chain/heads/keep-subscription.ts",
  "src/child/run-child.ts",
  "src/cli/preflight.ts",
  "src/cli/program.ts",
  "src/cli/reach-chain.ts",
  "src/cli/reload.ts",
  "src/cli/run-command.ts",
  "src/cli/service.ts",
  "src/cli/session.ts",
  "src/cli/watch-build.ts",
  "src/cli/work-until.ts",
  "src/db/pool-client.ts",
  "src/db/restore-archive.ts",
  "src/db/watch-statements.ts",
  "src/fields/transaction-types.ts",
  "src/orchestrator/ask-for-headers.ts",
  "src/orchestrator/candidacy.ts",
  "src/orchestrator/follow-chain.ts",
  "src/orchestrator/orchestrator.ts",
  "src/orchestrator/revert-above.ts",
  "src/orchestrator/undo-missed-reorgs.ts",
  "src/orchestrator/watch-transactions.ts",
  "src/store/blocks-table.ts",
  "src/store/copy-table.ts",
  "src/store/index-progress.ts",
  "src/store/read-columns.ts",
  "src/store/rebuild-block.ts",
  "src/store/table-columns.ts",
  "src/supervisor/bury.ts",
  "src/supervisor/check-configuration.ts",
  "src/supervisor/child.ts",
  "src/supervisor/ending.ts",
  "src/supervisor/host-lease.ts",
  "src/supervisor/line-up.ts",
  "src/supervisor/place.ts",
  "src/supervisor/recycle-workers.ts",
  "src/supervisor/scale-workers.ts",
  "src/supervisor/supervisor.ts",
];

const sources = namesIn("src").map(readSource);
const tests = namesIn("test").filter((name) => name.endsWith(".test.ts"));
const parsedTests = tests.map((name) => ({ name, tree: parseFile(name) }));
const imported = new Set(parsedTests.flatMap(({ name, tree }) => importsOf(name, tree)));
const words = new Set(parsedTests.flatMap(({ tree }) => stringsOf(tree)));

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
  assert.deepEqual(
    lackTests.filter((name) => !fromFurtherUp.includes(name)),
    [],
  );
});

test("the list of sources without such a test holds no other ones", () => {
  assert.deepEqual(
    fromFurtherUp.filter((name) => !lackTests.includes(name)),
    [],
  );
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
