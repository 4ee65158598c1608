// The demo as its users start it: the whole program from the chain to the rows, in its own processes.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import pg from "pg";
import { differenceOf } from "./demo/check.js";
import { parseOptions } from "./demo/options.js";
import { spawnProgram } from "./support/process.js";
import { compiledTests } from "./support/project.js";

const startDemo = (args: string[]) =>
  spawnProgram(args, { script: `${compiledTests}demo/demo.js`, env: { NO_COLOR: "1" } });

test("the demo stores the blocks that were asked for, compares each with the chain, and ends", async () => {
  const demo = await startDemo(["--blocks", "12"]);
  const { code } = await demo.exit;
  assert.equal(code, 0, demo.output.join("\n"));
  const shown = demo.output.flatMap((line) => /^ +(\d+)( +\d+){4} /.exec(line)?.[1] ?? []).map(Number);
  assert.deepEqual(
    shown.sort((a, b) => a - b),
    Array.from({ length: 12 }, (_, i) => i),
  );
  assert.ok(demo.output.some((line) => /12 blocks compared with the chain.*: equal/.test(line)));
});

test("the demo ends with exit code 1 and names the block when one is missing or is not the chain's", async () => {
  const demo = await startDemo(["--blocks", "30"]);
  const facts = await demo.line(/postgres:\/\//);
  await demo.line(/^ +7( +\d+){4} /);
  const client = new pg.Client({ connectionString: /postgres:\S+/.exec(facts)?.[0] });
  await client.connect();
  await client.query("delete from blocks where number = 2");
  await client.query("delete from logs where block_number = 1 and log_index = 0");
  await client.end();
  const { code } = await demo.exit;
  assert.equal(code, 1, demo.output.join("\n"));
  assert.ok(demo.output.some((line) => /30 blocks compared with the chain.*: not equal/.test(line)));
  const named = demo.output.filter((line) => line.startsWith("  ✗ block "));
  assert.deepEqual(named, ["  ✗ block 1 has 15 logs, the chain says 16", "  ✗ block 2 is missing"]);
});

test("Ctrl-C ends the demo in order, with a summary, and its folder is gone", async () => {
  const demo = await startDemo([]);
  const log = await demo.line(/its log/);
  const folder = path.dirname(log.trim().split(/\s+/).at(-1) ?? "");
  assert.ok(existsSync(folder), folder);
  await demo.line(/^ +\d+( +\d+){4} .*ms/);
  const { code } = await demo.kill("SIGINT");
  assert.equal(code, 0, demo.output.join("\n"));
  assert.ok(demo.output.some((line) => /\d+ blocks? stored in/.test(line)));
  assert.ok(!existsSync(folder));
});

test("a command line that is wrong ends the demo with exit code 2 and names the flag", async () => {
  const wrong: [args: string[], named: RegExp][] = [
    [["--blocks", "0"], /--blocks: expected a whole number from 1/],
    [["--blocks", "many"], /--blocks: .*got "many"/],
    [["--from", "1", "--to", "2"], /--from and --to need --rpc-url/],
    [["--rpc-url", "http://localhost:1"], /--rpc-url needs --from and --to/],
    [["--rpc-url", "ws://localhost:1", "--from", "1", "--to", "2"], /--rpc-url: expected .*http/],
    [["--rpc-url", "http://localhost:1", "--from", "3", "--to", "2"], /--to: expected at least --from \(3\)/],
    [["--blok", "1"], /--blok/],
  ];
  for (const [args, named] of wrong) assert.throws(() => parseOptions(args), named);

  const demo = await startDemo(["--blocks", "0"]);
  assert.deepEqual(await demo.exit, { code: 2, signal: null });
  assert.match(demo.output.join("\n"), /--blocks: .*\nusage: npm run demo/);
});

test("a stored block that is not the chain's is told by what differs", () => {
  const told = { hash: "0xaa", transactions: 3, logs: 5 } as const;
  assert.equal(differenceOf({ ...told }, told), null);
  assert.equal(differenceOf(undefined, told), "is missing");
  assert.match(differenceOf({ ...told, hash: "0xbb" }, told) ?? "", /hash 0xbb, the chain says 0xaa/);
  assert.equal(differenceOf({ ...told, logs: 4 }, told), "has 4 logs, the chain says 5");
  assert.equal(differenceOf({ ...told, transactions: 2 }, told), "has 2 transactions, the chain says 3");
});
