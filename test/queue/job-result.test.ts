import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { countsRows, type JobResult, readResult, resultFields } from "../../src/queue/job-result.js";
import { projectRoot } from "../support/project.js";

const whole: JobResult = {
  transactions: 3,
  logs: 7,
  withdrawals: 0,
  token_transfers: 2,
  fetch_ms: 1.25,
  verify_ms: 0.5,
  encode_ms: 0.25,
  endpoint: "https://node.example",
  direct: true,
};

test("a result is read as it was written", () => {
  assert.deepEqual(readResult(JSON.parse(JSON.stringify(whole))), whole);
});

test("what another release or a person wrote is left out where it is not what the field says", () => {
  assert.deepEqual(readResult({ ...whole, transform_ms: 4, logs: "7", endpoint: null, direct: 1 }), {
    transactions: 3,
    withdrawals: 0,
    token_transfers: 2,
    fetch_ms: 1.25,
    verify_ms: 0.5,
    encode_ms: 0.25,
  });
  assert.deepEqual(readResult({}), {});
});

test("a job without a result, or with something else in its place, has none", () => {
  for (const stored of [null, undefined, "done", 7, true, [whole]]) assert.equal(readResult(stored), null);
});

test("the counts of rows are told apart from the rest", () => {
  assert.deepEqual(Object.keys(whole).filter(countsRows), [
    "transactions",
    "logs",
    "withdrawals",
    "token_transfers",
  ]);
  assert.equal(countsRows("toString"), false);
});

test("docs/OPERATIONS.md has the fields, their order and their meanings", async () => {
  const text = await readFile(path.join(projectRoot, "docs/OPERATIONS.md"), "utf8");
  const section = /### What a job's result says\n(.*?)\n### /s.exec(text)?.[1] ?? "";
  const rows = [...section.matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)].map(([, name, says]) => [name, says]);
  assert.deepEqual(
    rows,
    Object.entries(resultFields).map(([name, { says }]) => [name, says]),
  );
});

test("the comment in schema.sql has the fields, their order and their meanings", async () => {
  const schema = await readFile(path.join(projectRoot, "schema.sql"), "utf8");
  const says = Object.entries(resultFields).map(([name, { says }]) => `${name}: ${says}.`);
  const comment = `What blockmill says of the block when it completes the job. ${says.join(" ")}`;
  assert.ok(schema.includes(`comment on column processing_jobs.result       is '${comment}';`), comment);
});
