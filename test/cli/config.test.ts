import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { blockmill } from "./blockmill.js";

async function configFile(t: TestContext, content: unknown): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-config-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = path.join(folder, "chain.json");
  await writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

test("each layer wins over the one before, and config says where each value came from", async (t) => {
  const file = await configFile(t, {
    pipeline: { workers: 2, batch_size: 30, check_interval: 7 },
    chain: { start_block: 12 },
  });
  const env = {
    BLOCKMILL_CONFIG: file,
    BLOCKMILL_PIPELINE_BATCH_SIZE: "40",
    BLOCKMILL_PIPELINE_WORKERS: "3",
    BLOCKMILL_CHAIN_START_BLOCK: "null",
  };
  const args = ["config", "--json", "--set", "pipeline.workers=4", "--set", "pipeline.auto_enqueue=false"];
  const { code, stdout, stderr } = await blockmill(args, env);
  assert.equal(code, 0, stderr);

  const values = JSON.parse(stdout);
  assert.deepEqual(values["pipeline.workers"], { value: 4, source: "--set" });
  assert.deepEqual(values["pipeline.auto_enqueue"], { value: false, source: "--set" });
  assert.deepEqual(values["pipeline.batch_size"], { value: 40, source: "$BLOCKMILL_PIPELINE_BATCH_SIZE" });
  assert.deepEqual(values["pipeline.check_interval"], { value: 7, source: file });
  assert.deepEqual(values["chain.start_block"], { value: null, source: "$BLOCKMILL_CHAIN_START_BLOCK" });
  assert.deepEqual(values["database.pool_size"], { value: 20, source: "default" });
});

test("the documented keys keep their names and defaults", async () => {
  const { stdout } = await blockmill(["config", "--json"]);
  const values = JSON.parse(stdout);
  const expected = {
    "pipeline.workers": 5,
    "pipeline.check_interval": 30,
    "pipeline.max_attempts": 3,
    "pipeline.timeout_minutes": 30,
    "pipeline.priority_blocks": 10,
    "pipeline.auto_enqueue": true,
    "database.pool_size": 20,
    "database.max_overflow": 30,
    "database.statement_timeout": 300,
  };
  for (const [key, value] of Object.entries(expected)) assert.equal(values[key]?.value, value, key);
});

test("config prints no secret, as a table or as JSON", async (t) => {
  const secrets = ["hunter2hunter2", "k3yk3yk3yk3y", "t0kent0ken"];
  const file = await configFile(t, {
    database: { url: `postgresql://someone:${secrets[0]}@db.example:5432/chain` },
    rpc: {
      urls: [
        `https://node.example/v2/${secrets[1]}`,
        { url: `https://other.example/?key=${secrets[2]}`, weight: 2 },
      ],
    },
  });
  for (const args of [["config"], ["config", "--json"]]) {
    const { code, stdout, stderr } = await blockmill([...args, "-c", file]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /db\.example:5432/);
    assert.match(stdout, /node\.example/);
    for (const secret of secrets) assert.ok(!`${stdout}${stderr}`.includes(secret), secret);
  }
});

test("config --explain prints every key, also when the configuration is broken", async (t) => {
  const file = await configFile(t, "{");
  const text = await blockmill(["config", "--explain", "-c", file]);
  assert.equal(text.code, 0, text.stderr);
  const json = await blockmill(["config", "--explain", "--json", "-c", file]);
  const keys: { key: string; doc: string; expected: string; env: string }[] = JSON.parse(json.stdout);
  assert.ok(keys.length > 20);
  for (const { key, doc, expected, env } of keys) {
    for (const part of [key, doc, expected, env]) assert.ok(text.stdout.includes(part), `${key}: ${part}`);
  }
});

const broken: [content: string, message: RegExp][] = [
  [
    '{\n  "pipeline": {\n    "wrokers": 5\n  }\n}',
    /pipeline\.wrokers \(.*chain\.json:3\).*did you mean pipeline\.workers\?/,
  ],
  ['{\n  "pipelines": {}\n}', /pipelines \(.*chain\.json:2\).*did you mean pipeline\?/],
  [
    '{\n  "pipeline": {\n    "workers": "5"\n  }\n}',
    /workers \(.*chain\.json:3\): expected a whole number from 1 to 256, "auto", or .*, got "5"/,
  ],
  ['{\n  "pipeline": {\n    "workers": 5,\n  }\n}', /chain\.json:4: this is not JSON/],
  ['{\n  "database": {\n    "url": postgresql://u:hunter2@h/d\n  }\n}', /chain\.json:3: this is not JSON/],
  ["", /chain\.json:1: this is not JSON/],
  ["[]", /chain\.json:1: expected a JSON object/],
  [
    '{"pipeline": {"backoff_seconds": 9, "backoff_max_seconds": 8}}',
    /backoff_max_seconds \(.*chain\.json:\d+\): expected at least pipeline\.backoff_seconds \(9\), got 8/,
  ],
];

for (const [content, message] of broken) {
  test(`the configuration ${JSON.stringify(content)} is refused in one line, with exit code 78`, async (t) => {
    const { code, stdout, stderr } = await blockmill(["config", "-c", await configFile(t, content)]);
    assert.equal(code, 78);
    assert.match(stderr, message);
    assert.match(stderr, /^blockmill: .*\n$/);
    assert.ok(!stderr.includes("hunter2"), stderr);
    assert.equal(stdout, "");
  });
}

test("a BLOCKMILL_ variable that is none, and a --set of no key, are refused with the nearest name", async () => {
  const variable = await blockmill(["config"], { BLOCKMILL_PIPELINE_WORKER: "5" });
  assert.equal(variable.code, 78);
  assert.match(variable.stderr, /\$BLOCKMILL_PIPELINE_WORKER: .*did you mean BLOCKMILL_PIPELINE_WORKERS\?/);
  const flag = await blockmill(["config", "--set", "pipeline.wrokers=5"]);
  assert.equal(flag.code, 78);
  assert.match(flag.stderr, /pipeline\.wrokers \(--set\): .*did you mean pipeline\.workers\?/);
});

test("a configuration file that is missing is named", async () => {
  const { code, stderr } = await blockmill(["status", "-c", "/nowhere/chain.json"]);
  assert.equal(code, 78);
  assert.match(stderr, /^blockmill: .*\/nowhere\/chain\.json: there is no such file\n$/);
});
