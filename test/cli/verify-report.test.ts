import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { createReport } from "../../src/cli/verify-report.js";
import { asQueueSays, type Finding, type ProvenBatch } from "../../src/pipeline/prove-stored.js";

const finding = (kind: Finding["kind"], from: number, rest: Partial<Finding> = {}): Finding => ({
  kind,
  from,
  to: from,
  table: "logs",
  field: "logs[0].data",
  expected: "0x01",
  actual: "0x02",
  ...rest,
});

/** A report, and what it writes. */
function scene(t: TestContext, options: { json?: boolean; repair?: boolean } = {}) {
  const written: string[] = [];
  const report = createReport({ json: false, repair: false, ...options });
  const print = <T>(work: () => T): T => {
    const mock = t.mock.method(process.stdout, "write", (text: string) => {
      written.push(...text.trimEnd().split("\n"));
      return true;
    });
    try {
      return work();
    } finally {
      mock.mock.restore();
    }
  };
  const add = (blocks: number, ...findings: Finding[]) =>
    print(() => report.add({ upTo: 100, blocks, findings } as ProvenBatch));
  const end = (
    rest: { strays?: { table: string; rows: number }[]; requeued?: number; interrupted?: boolean } = {},
  ) =>
    print(() =>
      report.end({
        span: { from: 1, to: 100 },
        strays: [],
        requeued: 0,
        interrupted: false,
        ms: 2_000,
        ...rest,
      }),
    );
  return { written, report, add, end };
}

test("where all is proven the summary says how many and how fast, and the exit code is 0", (t) => {
  const { written, add, end } = scene(t);
  add(60);
  add(40);
  assert.equal(end(), 0);
  assert.deepEqual(written, ["100 blocks proven, 0 wrong, 0 missing, in 2.0 s, 50.0 blocks/s."]);
});

test("each finding says what, where, what was expected and what is there; blocks count once", (t) => {
  const { written, report, add, end } = scene(t);
  add(
    10,
    finding("wrong", 3),
    finding("wrong", 3, { field: "digest", table: "blocks" }),
    finding("missing", 5, { to: 7, expected: asQueueSays }),
    finding("orphan", 9, { table: "withdrawals", actual: "2 rows" }),
    finding("orphan", 6, { actual: "1 row" }),
  );
  assert.equal(report.wrong(), 5);
  assert.equal(end(), 1);
  assert.deepEqual(written, [
    "block 3: logs[0].data (logs): expected 0x01, got 0x02",
    "block 3: digest: its rows are not those that were written",
    "blocks 5 to 7: missing, though the queue says stored",
    "block 9: withdrawals: 2 rows",
    "block 6: logs: 1 row",
    "9 blocks proven, 1 wrong, 3 missing, in 2.0 s, 5.00 blocks/s.",
    "There are rows of 1 block that are not stored.",
    "Fetch them again: the same command with --repair",
  ]);
});

test("unproven blocks are counted and not listed, what does not hold of them is named, and they are not an error", (t) => {
  const { written, report, add, end } = scene(t);
  const verified = { table: "blocks", field: "verified", actual: "nothing" };
  add(50, finding("unproven", 1, { to: 40, ...verified, expected: "hash, receiptsRoot" }));
  add(50, finding("unproven", 90, { ...verified, expected: "hash" }), finding("wrong", 91));
  assert.equal(report.wrong(), 1);
  assert.equal(end(), 1);
  assert.deepEqual(written, [
    "block 91: logs[0].data (logs): expected 0x01, got 0x02",
    "58 blocks proven, 41 unproven, 1 wrong, 0 missing, in 2.0 s, 50.0 blocks/s.",
    "Unproven: what is stored is what was written, and neither chain.verify nor the chain's rules demand more; not proven of them: hash, receiptsRoot.",
    "Fetch them again: the same command with --repair",
  ]);

  const alone = scene(t);
  alone.add(1, finding("unproven", 1, { ...verified, expected: "hash" }));
  assert.equal(alone.end(), 0);
});

test("of one block four lines are shown, and of all a hundred; the rest is counted", (t) => {
  const { written, add, end } = scene(t);
  for (let block = 1; block <= 30; block += 1)
    add(1, ...Array.from({ length: 5 }, () => finding("wrong", block)));
  end();
  assert.equal(written.filter((line) => line.startsWith("block ")).length, 100);
  assert(written.includes("and 50 lines more: see --json"), written.at(-3));
});

test("what was repaired, what was interrupted and rows of no block are told, and none is all well", (t) => {
  const repaired = scene(t, { repair: true });
  repaired.add(1, finding("wrong", 1));
  assert.equal(repaired.end({ requeued: 1 }), 1);
  assert.match(repaired.written.at(-1) ?? "", /^1 block enqueued again: /);

  const interrupted = scene(t);
  assert.equal(interrupted.end({ interrupted: true }), 130);
  assert.equal(interrupted.written.at(-1), "Interrupted: not everything was looked at.");

  const strays = scene(t);
  assert.equal(strays.end({ strays: [{ table: "logs", rows: 2 }] }), 1);
  assert.equal(strays.written[0], "logs: 2 rows with a number that no block has");
});

test("as JSON each finding is a line, and the summary is the last", (t) => {
  const { written, add, end } = scene(t, { json: true });
  add(10, finding("missing", 5, { to: 7, expected: asQueueSays }), finding("wrong", 3));
  end();
  const [missing, wrong, last] = written.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual([missing?.block, missing?.to, wrong?.block, wrong?.to], [5, 7, 3, undefined]);
  assert.deepEqual(last?.summary, {
    from: 1,
    to: 100,
    proven: 9,
    unproven: 0,
    wrong: 1,
    missing: 3,
    orphaned: 0,
    strays: [],
    requeued: 0,
    interrupted: false,
    seconds: 2,
    blocksPerSecond: 5,
  });
});
