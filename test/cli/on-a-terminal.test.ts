// What a person at a real terminal sees.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createDatabase } from "../support/database.js";
import { startFixture } from "../support/fixture.js";
import { noTerminal, screenOf, startOnTerminal } from "../support/pty.js";
import { ownScript, startBlockmill } from "./blockmill.js";

const ctrlC = "\u0003";
const skip = noTerminal;

async function setPlace(t: { after(work: () => Promise<unknown>): void }, head: number, latencyMs = 0) {
  const [database, node] = await Promise.all([
    createDatabase(),
    startFixture({ transactions: 1, head, signatures: "random", faults: { latencyMs } }),
  ]);
  t.after(() => Promise.all([database.drop(), node.stop()]));
  const env = {
    BLOCKMILL_DATABASE_URL: database.url,
    BLOCKMILL_RPC_URLS: `${node.url}/v2/k3y-in-the-path-0123456789`,
    BLOCKMILL_PIPELINE_WORKERS: "2",
    NO_COLOR: undefined,
  };
  return { database, node, env };
}

test("Ctrl-C in range removes the bar, says in one line what is done and how to go on, and ends with 130", {
  skip,
}, async (t) => {
  const { database, env } = await setPlace(t, 400, 60);
  const range = startOnTerminal(ownScript, ["range", "1", "400", "--set", "pipeline.fetch_concurrency=1"], {
    env,
  });
  await range.says(/█.* blocks\/s/);
  range.press(ctrlC);
  assert.equal(await range.ended, 130, range.output);
  const screen = screenOf(range.output);
  assert.doesNotMatch(screen.join("\n"), /[█░]|\^C/);
  assert.equal(screen[0], "fetching 400 blocks, 1 to 400");
  assert.equal(screen[1], "Finishing what is claimed. A second signal (Ctrl-C) ends at once.");
  assert.match(
    screen[2] ?? "",
    /^\d+ blocks? stored .*; 0 failed, \d+ not done\. The same command continues; .*\.$/,
  );
  assert.equal(screen.length, 3);
  // Neither was the cursor hidden nor the terminal's wrapping changed: whatever kills it, nothing has to be restored.
  assert.doesNotMatch(range.output, /␛\[\?/);
  const { rows } = await database.pool.query("select from processing_jobs where status = 'processing'");
  assert.equal(rows.length, 0);
});

test("log lines of range stand above its bar, for people, and none is left half over another", {
  skip,
}, async (t) => {
  const { node, env } = await setPlace(t, 40);
  await node.mutate({ kind: "set", path: "gasLimit", value: "0x5", method: "*", block: 7, count: 0 });
  const quick = ["--set", "pipeline.backoff_seconds=0.01", "--set", "pipeline.backoff_max_seconds=0.02"];
  const range = startOnTerminal(ownScript, ["range", "1", "40", ...quick], { env });
  assert.equal(await range.ended, 1, range.output);
  const screen = screenOf(range.output);
  const lines = screen.filter((line) => /^\d\d:\d\d:\d\d WARN {2}worker \d/.test(line));
  assert(lines.length > 0, screen.join("\n"));
  assert.doesNotMatch(screen.join("\n"), /[█░]|"level"|k3y/);
});

test("start shows a banner and a line for each thing that happens, in colours, without a secret", {
  skip,
}, async (t) => {
  const { database, env } = await setPlace(t, 50);
  const start = startOnTerminal(ownScript, ["start"], { env });
  await start.says(/holding the lease/);
  await database.pool.query("insert into processing_jobs (block_number) values (7)");
  await start.says(/orchestrator.* leading: /);
  await start.says(/stored .*blocks/);
  start.press(ctrlC);
  assert.equal(await start.ended, 0, start.output);
  const screen = screenOf(start.output);
  assert.match(screen[0] ?? "", /^blockmill \d/);
  const shown = screen.join("\n");
  assert.match(shown, /\n {2}schema +"public", version \d+, postgres:\/\/127\.0\.0\.1:\d+\n/);
  assert.match(
    shown,
    /\n {2}chain +\d+\n {2}head +50\n {2}endpoints +http:\/\/127\.0\.0\.1:\d+\n {2}workers +2\n/,
  );
  assert.match(shown, /\n\d\d:\d\d:\d\d info {2}orchestrator leading: /);
  assert.match(shown, /\n\d\d:\d\d:\d\d info {2}cli +ended$/);
  assert.doesNotMatch(shown, /k3y|"msg"/);
  assert(!shown.includes(new URL(database.url).password));
  assert.match(start.output, /␛\[32minfo /);
});

test("NO_COLOR takes the colours, --log json the lines for people and the banner", { skip }, async (t) => {
  const { env } = await setPlace(t, 5);
  const plain = startOnTerminal(ownScript, ["start"], { env: { ...env, NO_COLOR: "1" } });
  await plain.says(/holding the lease/);
  // Its children hear it too, while they load.
  plain.press(ctrlC);
  assert.equal(await plain.ended, 0, plain.output);
  assert.doesNotMatch(plain.output, /␛\[\d+m/);
  assert.match(plain.output, /^blockmill \d/);
  assert.doesNotMatch(plain.output, /ERROR|WARN|died/);

  const json = startOnTerminal(ownScript, ["start", "--log", "json"], { env });
  await json.says(/holding the lease/);
  json.press(ctrlC);
  assert.equal(await json.ended, 0, json.output);
  const lines = json.output.replaceAll("^C", "").trim().split(/\r?\n/);
  for (const line of lines) assert.equal((JSON.parse(line) as { name: string }).name, "blockmill", line);
});

test("where there is no terminal start writes JSON, and --log pretty lines for people without colours", async (t) => {
  const { env } = await setPlace(t, 5);
  const piped = await startBlockmill(["start"], env);
  await piped.line(/holding the lease/);
  piped.child.kill("SIGTERM");
  const { stdout } = await piped.ended;
  for (const line of stdout.trim().split("\n")) assert.equal((JSON.parse(line) as { v: number }).v, 0, line);

  const pretty = await startBlockmill(["start", "--log", "pretty"], env);
  await pretty.line(/holding the lease/);
  pretty.child.kill("SIGTERM");
  const said = (await pretty.ended).stdout;
  assert.match(said, /^blockmill \d/);
  assert.match(said, /^\d\d:\d\d:\d\d info {2}supervisor {3}holding the lease/m);
  assert.doesNotMatch(said, /\p{Cc}(?<!\n)|"msg"/u);
});
