// The runner: one server and one template for all test files, then what they left behind.
//
//   node dist/test/run.js [--repeat N] [--without PART ...] [PART ...]
//
// Runs the files whose path contains one of the parts (all, if there are none), and none that is to be left out.

import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { finished } from "node:stream/promises";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { parseArgs } from "node:util";
import {
  createTemplate,
  dropTemplate,
  type TestDatabases,
  testDatabasesVariable,
} from "./support/database.js";
import {
  leftoverDatabases,
  leftoverProcesses,
  leftoverSessions,
  testRunVariable,
} from "./support/leftovers.js";
import { startTestServer, type TestServer } from "./support/postgres.js";
import { sharePostgresBinaries } from "./support/postgres-binaries.js";
import { compiledTests } from "./support/project.js";

/** For one file, on a machine that is busy. Node 20 has no limit for single tests that could be set from outside of them. */
const fileTimeoutMs = 900_000;

/** Files at a time: one more than processors, since many tests wait for a daemon, a lease or a node most of their time. */
const concurrency = availableParallelism() + 1;

/** Files that begin before the others: a long one that begins last keeps one processor waiting at the end. */
const longest = ["systemd/", "chaos/chaos", "model/", "direct/direct-way", "daemon/", "db/watch-statements"];

const { values, positionals } = parseArgs({
  options: {
    repeat: { type: "string", default: "1" },
    without: { type: "string", multiple: true, default: [] },
  },
  allowPositionals: true,
});
// Stack traces of failures name the TypeScript lines. Test files inherit these options.
process.execArgv.push("--enable-source-maps");
process.exitCode = (await runSuite(findFiles(positionals, values.without), Number(values.repeat))) ? 0 : 1;

/** Whether every test passed in each of the repetitions and left nothing behind. */
async function runSuite(files: string[], repetitions: number): Promise<boolean> {
  if (files.length === 0) {
    console.error(`no test file matches ${positionals.join(" ")}`);
    return false;
  }
  const removeBinaries = await sharePostgresBinaries();
  const server = await startTestServer((line) => console.log(line));
  console.log(`tests use ${server.description}`);
  try {
    const databases = await createTemplate(server.url);
    process.env[testDatabasesVariable] = JSON.stringify(databases);
    let passed = true;
    for (let repetition = 1; repetition <= repetitions; repetition += 1) {
      if (repetitions > 1) console.log(`\nrepetition ${repetition} of ${repetitions}`);
      if (!(await runOnce(files, { server, databases }))) passed = false;
    }
    await dropTemplate(databases);
    return passed;
  } finally {
    await server.stop();
    await removeBinaries();
  }
}

async function runOnce(
  files: string[],
  place: { server: TestServer; databases: TestDatabases },
): Promise<boolean> {
  const runId = randomBytes(6).toString("hex");
  process.env[testRunVariable] = runId;
  const reporter = new spec();
  reporter.pipe(process.stdout);
  const counts = { passed: 0, failed: 0 };
  const skipped: string[] = [];
  const complaints: string[] = [];
  const totals: object[] = [];
  const seconds = new Map<string, number>();

  for await (const event of run({ files, concurrency, timeout: fileTimeoutMs })) {
    // Node's own closing lines come after ours.
    if (event.type === "test:diagnostic" && isTotal(event.data)) {
      totals.push(event);
      continue;
    }
    // Node reports how long a file took as if the file were a test; not every version says so in its types.
    if (event.type === "test:complete" && event.data.name === event.data.file)
      seconds.set(event.data.name, event.data.details.duration_ms / 1_000);
    reporter.write(event);
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, file, skip, todo, details } = event.data;
    // Node reports a file as a test itself if it failed outside of its tests, or holds none.
    const isFile = name === file;
    if (isFile && event.type === "test:pass")
      complaints.push(`no test in ${path.relative(compiledTests, file)}`);
    if (skip !== undefined && skip !== false) skipped.push(`${name}${skip === true ? "" : ` (${skip})`}`);
    else if (event.type === "test:fail" && !todo) counts.failed += 1;
    else if (!isFile && details.type !== "suite") counts.passed += 1;
  }

  complaints.push(...(await findLeftovers(runId, place)));
  await say(reporter, [
    `${counts.passed} passed, ${counts.failed} failed, ${skipped.length} skipped, in ${files.length} files`,
    ...slowest(seconds),
    ...skipped.map((test) => `skipped: ${test}`),
    ...complaints.map((complaint) => `not in order: ${complaint}`),
  ]);
  for (const total of totals) reporter.write(total);
  reporter.end();
  await finished(reporter);
  return counts.failed === 0 && counts.passed > 0 && complaints.length === 0;
}

/** The files that took longest, in words. */
function slowest(seconds: Map<string, number>): string[] {
  return [...seconds]
    .sort(([, one], [, other]) => other - one)
    .slice(0, 10)
    .map(([file, took]) => `${took.toFixed(1).padStart(6)} s  ${path.relative(compiledTests, file)}`);
}

function isTotal(data: { nesting: number; message: string; file?: string }): boolean {
  const names = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
  return data.nesting === 0 && data.file === undefined && names.test(data.message);
}

async function findLeftovers(
  runId: string,
  { server, databases }: { server: TestServer; databases: TestDatabases },
): Promise<string[]> {
  const left = await leftoverProcesses(runId);
  if (server.ours) left.push(...(await leftoverSessions(databases.adminUrl)));
  left.push(...(await leftoverDatabases(databases)));
  return left.map((one) => `left behind: ${one}`);
}

/** Through the reporter's own stream, so that the lines come after what it has still to write. */
async function say(reporter: NodeJS.WritableStream & { push(text: string): boolean }, lines: string[]) {
  await new Promise<void>((resolve) => setImmediate(resolve));
  reporter.push(`\n${lines.join("\n")}\n\n`);
}

function findFiles(parts: string[], without: string[]): string[] {
  const files = readdirSync(compiledTests, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.js"))
    .sort();
  const isWanted = (file: string) =>
    (parts.length === 0 || parts.some((part) => file.includes(part))) &&
    !without.some((part) => file.includes(part));
  const place = (file: string) => {
    const at = longest.findIndex((part) => file.startsWith(part));
    return at === -1 ? longest.length : at;
  };
  return files
    .filter(isWanted)
    .sort((one, other) => place(one) - place(other))
    .map((file) => path.join(compiledTests, file));
}
