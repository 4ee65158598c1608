import assert from "node:assert/strict";
import { test } from "node:test";
import { formatErrors } from "../../src/cli/errors.js";
import { fingerprintOf } from "../../src/status/fingerprint.js";
import { adviceFor, groupFailures } from "../../src/status/group-failures.js";
import { useQueue } from "../queue/queue-database.js";

const queue = useQueue();
const plain = (_style: string, text: string) => text;

test("a fingerprint is what messages of one kind have in common", () => {
  const [a, b] = [
    "block 1,200 of node is not proven: receiptsRoot: expected 0xab12…, got 0x99 (2.5 s)",
    "block 7 of node is not proven: receiptsRoot: expected 0xcd34…, got 0x1234567890 (11 s)",
  ];
  assert.equal(fingerprintOf(a), fingerprintOf(b));
  assert.equal(fingerprintOf(a), "block N of node is not proven: receiptsRoot: expected 0x…, got 0x… (N s)");
  assert.notEqual(fingerprintOf(a), fingerprintOf(a.replace("receiptsRoot", "logsBloom")));
});

test("failures are grouped by class and fingerprint, with count, first, last, newest block, endpoints and advice", async () => {
  await queue.pool.query(`
    insert into processing_failures (job_id, block_number, attempt, class, message, endpoint, failed_at)
    select n, n, 1, 'unproven', 'block ' || n || ' of node-a is not proven', 'node-a', now() - n * interval '1 minute'
    from generate_series(1, 30) as n;
    insert into processing_failures (job_id, block_number, attempt, class, message, endpoint) values
      (7, 7, 2, 'unproven', 'block 7 of node-a is not proven', 'node-a'),
      (50, 50, 1, 'retry', 'HTTP status 500', 'node-b'), (50, 50, 2, 'retry', 'HTTP status 500', 'node-c'),
      (50, 50, 3, 'retry', 'HTTP status 500', 'node-c');
    insert into processing_jobs (block_number, status) values (7, 'failed'), (50, 'completed')`);
  const groups = await groupFailures(queue.pool, { withinSeconds: 86_400 });
  assert.deepEqual(
    groups.map(({ class: name, fingerprint, count, newestBlock, endpoints, stillFailed }) => [
      name,
      fingerprint,
      count,
      newestBlock,
      endpoints,
      stillFailed,
    ]),
    [
      ["unproven", "block N of node-a is not proven", 31, 30, ["node-a"], 1],
      ["retry", "HTTP status N", 3, 50, ["node-c", "node-b"], 0],
    ],
  );
  const [first] = groups;
  assert(first && first.lastAt.getTime() - first.firstAt.getTime() > 29 * 60_000);
  assert.match(first.advice, /Put another one into rpc.urls/);
  const [recent] = await groupFailures(queue.pool, { withinSeconds: 600 });
  assert.equal(recent?.count, 10);
  const text = formatErrors(groups, plain);
  assert.match(
    text,
    /31 × unproven\n {2}.* UTC, newest block 30, at node-a; 1 job failed at the\n? *moment\n/,
  );
  assert(
    text.split("\n").every((line) => line.length <= 100),
    text,
  );
  assert.equal(formatErrors([], plain), "No attempt failed.\n");
});

test("each kind of failure has its advice", () => {
  const cases: [string, string, RegExp][] = [
    ["lost", "its host's supervisor was lost", /^Nothing/],
    ["died", "the worker died (SIGKILL)", /Memory/],
    ["died", "the worker died (exit code 1)", /journalctl/],
    ["unlinked", "block 7 does not link", /--repair/],
    ["retry", "missing trie node", /archive node/],
    ["retry", "HTTP status 401", /key/],
    ["retry", "it ran longer than 30 minutes", /too slow/],
    ["retry", "response size exceeded", /too large/],
    ["fatal", "violates check constraint", /PostgreSQL refuses/],
    ["retry", "what nobody has seen before", /tried again by itself/],
  ];
  for (const [name, message, advice] of cases) assert.match(adviceFor(name, message), advice, message);
});
