// Each rule by what it sees; test/daemon drives them by real faults.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type AlertRuleName, alertRuleNames, alertRules } from "../../../src/config/alert-rules.js";
import { schemaVersion } from "../../../src/db/schema-version.js";
import { rules } from "../../../src/orchestrator/alerts/rules.js";
import type { Seen } from "../../../src/orchestrator/alerts/seen.js";
import { projectRoot } from "../../support/project.js";
import { seenWell } from "./seen-well.js";

const look = (name: AlertRuleName, change: Partial<Seen>) =>
  rules[name].look?.(
    { ...seenWell, server: { ...server, schemaVersion }, ...change },
    alertRules[name].threshold ?? 0,
  );
const server = seenWell.server ?? assert.fail();
const recent = (change: Partial<Seen["recent"]>) => ({ recent: { ...seenWell.recent, ...change } });
const atServer = (change: Partial<typeof server>) => ({ server: { ...server, schemaVersion, ...change } });
const endpoint = { name: "node", state: "up", reason: null, aside: false, silentMs: null };

/** What makes each fire, and what its sentence says then; what is close to it, and does not. */
const cases: Record<
  AlertRuleName,
  "an event" | { fires: [Partial<Seen>, RegExp][]; rests: Partial<Seen>[] }
> = {
  jobs_waiting: {
    fires: [
      [{ waiting: 1_001, ...recent({ completed: 0 }) }, /1,001 jobs wait, and none is stored/],
      [{ waiting: 1_500, ...recent({ isBacklogGrowing: true }) }, /more come than are stored/],
      [{ waiting: 20_000, waitingIsAtLeast: true, ...recent({ completed: 0 }) }, /at least 20,000 jobs/],
      [{ waiting: 5_000, isRangeOpen: true, ...recent({ completed: 0 }) }, /5,000 jobs wait/],
    ],
    rests: [
      { waiting: 1_000, ...recent({ completed: 0 }) },
      // A backfill that somebody asked for and that progresses: by a range, or by rows.
      { waiting: 5_000, isRangeOpen: true, ...recent({ isBacklogGrowing: true }) },
      { waiting: 5_000, ...recent({ isBacklogGrowing: false }) },
      { waiting: 20_000, waitingIsAtLeast: true, ...recent({ isBacklogGrowing: true }) },
      { waiting: 5_000, isPaused: true, ...recent({ completed: 0 }) },
    ],
  },
  error_rate: {
    fires: [
      [recent({ completed: 95, failures: { retry: 4, died: 2 } }), /6 % of the attempts .*\(6 of 101\)/],
    ],
    rests: [
      recent({ completed: 100, failures: { retry: 5 } }),
      recent({ completed: 10, failures: { retry: 2 } }),
      recent({ completed: 10, failures: { lost: 200 } }),
    ],
  },
  failed_jobs: {
    fires: [
      [{ failed: 1 }, /^1 job failed for good: nobody tries it again/],
      [{ failed: 492 }, /^492 jobs failed for good/],
    ],
    rests: [],
  },
  no_workers: {
    fires: [
      [{ processes: [] }, /No worker lives/],
      [
        {
          processes: [
            { workerId: "w", role: "worker", state: "starting", hostname: "h", version: "1", doing: {} },
          ],
        },
        /do not become ready/,
      ],
    ],
    rests: [],
  },
  slow_block: {
    fires: [
      [
        { oldestClaim: { block: 7, worker: "h/w1", seconds: 61 } },
        /Block 7 is in the hands of h\/w1 for 61 s/,
      ],
    ],
    rests: [{ oldestClaim: { block: 7, worker: "h/w1", seconds: 59 } }],
  },
  no_progress: {
    fires: [
      [{ waiting: 1, waitingSeconds: 100, sinceCompletionSeconds: 80 }, /no block was stored for 80 s/],
      [{ oldestClaim: { block: 7, worker: "w", seconds: 70 }, sinceCompletionSeconds: 200 }, /for 70 s/],
    ],
    rests: [
      { waiting: 0, waitingSeconds: null, sinceCompletionSeconds: 5_000 },
      { waiting: 1, waitingSeconds: 5, sinceCompletionSeconds: 5_000 },
      { waiting: 1, waitingSeconds: 100, sinceCompletionSeconds: 3 },
      { waiting: 1, waitingSeconds: 100, sinceCompletionSeconds: 80, isPaused: true },
    ],
  },
  lag: {
    fires: [
      [
        { newest: { number: 990, ageSeconds: 400 } },
        /newest stored block, 990, is 6 min behind the head, 1,000.*blockmill why 991/,
      ],
    ],
    rests: [
      { newest: { number: 999, ageSeconds: 30 } },
      { newest: { number: 990, ageSeconds: 400 }, follows: false },
      { newest: { number: 1_000, ageSeconds: 900 } },
      { newest: null },
    ],
  },
  head_stalled: {
    fires: [
      [
        { head: { number: 1_000, ageSeconds: 130, seenAgeSeconds: 121 } },
        /The head has been 1,000 for 2 min/,
      ],
    ],
    rests: [
      { head: { number: 1_000, ageSeconds: 130, seenAgeSeconds: 119 } },
      { head: { number: 1_000, ageSeconds: 130, seenAgeSeconds: 900 }, blockSeconds: null },
    ],
  },
  endpoints_down: {
    fires: [
      [
        { endpoints: [{ ...endpoint, silentMs: 8_500 }] },
        /The only endpoint is down: node has not answered for 9 s/,
      ],
      [
        {
          endpoints: [
            { ...endpoint, state: "resting", reason: "node: HTTP 429" },
            { ...endpoint, name: "b", state: "resting", reason: "refused" },
          ],
        },
        /All 2 endpoints are down: node: HTTP 429; b: refused/,
      ],
    ],
    rests: [{ endpoints: [endpoint, { ...endpoint, name: "b", state: "resting", reason: "refused" }] }],
  },
  endpoint_lies: {
    fires: [
      [
        {
          endpoints: [
            { ...endpoint, state: "resting", aside: true, reason: "block 5 of node is not proven" },
          ],
        },
        /put aside for a while: block 5 of node.*take node out/,
      ],
    ],
    rests: [{ endpoints: [{ ...endpoint, state: "resting", reason: "refused" }] }],
  },
  verification_failures: {
    fires: [[recent({ failures: { unproven: 1 } }), /^1 attempt of the last 5 min failed/]],
    rests: [recent({ failures: { retry: 7 } })],
  },
  head_failures: {
    fires: [
      [
        {
          failingHeads: [10, 9, 8].map((block) => ({
            block,
            error: `block ${block} of node-${block} is not proven: hash: expected 0x${block}`,
          })),
        },
        /The heads from block 8 to 10 failed for the same reason, and nothing behind them is stored: block 10 of/,
      ],
      [
        { failingHeads: [12, 10, 9, 8].map((block) => ({ block, error: "type 9 is unknown" })) },
        /block 8 to 10/,
      ],
    ],
    rests: [
      { failingHeads: [10, 9].map((block) => ({ block, error: "type 9 is unknown" })) },
      { failingHeads: [10, 8, 6].map((block) => ({ block, error: "type 9 is unknown" })) },
      {
        failingHeads: [10, 9, 8].map((block) => ({
          block,
          error: block === 9 ? "no gas" : "type 9 is unknown",
        })),
      },
    ],
  },
  reorg_deep: {
    fires: [
      [atServer({ deepestReorg: { depth: 13, forkBlock: 900 } }), /A reorg of 13 blocks above block 900/],
    ],
    rests: [atServer({ deepestReorg: { depth: 12, forkBlock: 900 } }), atServer({ deepestReorg: null })],
  },
  reorg_too_deep: "an event",
  false_head: "an event",
  other_chain: "an event",
  crash_loop: "an event",
  lock_wait: {
    fires: [
      [
        {
          lockWait: {
            what: "the job of block 2",
            pid: 7,
            user: "ann",
            application: "psql",
            state: "idle in transaction",
            waitsMs: 3_001,
          },
        },
        /the job of block 2 is held by ann \(pid 7, psql/,
      ],
    ],
    rests: [],
  },
  old_transaction: {
    fires: [[atServer({ oldTransaction: "a transaction of ann (pid 7) is open for 61 s" }), /pid 7/]],
    rests: [],
  },
  notification_queue: {
    fires: [[atServer({ notificationQueue: 10.5 }), /is 11 % full/]],
    rests: [atServer({ notificationQueue: 10 })],
  },
  worker_deaths: {
    fires: [[recent({ deaths: 3 }), /3 processes of the daemons died within 5 min/]],
    rests: [recent({ deaths: 2 })],
  },
  connections: {
    fires: [[atServer({ connections: { taken: 88, most: 97 } }), /88 of PostgreSQL's 97 connections/]],
    rests: [atServer({ connections: { taken: 87, most: 97 } })],
  },
  disk_forecast: {
    fires: [
      [
        { disk: { bytes: 1.97e12, capacity: 2e12, bytesPerDay: 6e9 } },
        /full in 5 days: .*1,970 GB of 2,000 GB, and grows by 6 GB a day/,
      ],
      [{ disk: { bytes: 2e12, capacity: 2e12, bytesPerDay: 6e9 } }, /full in 0 hours/],
    ],
    rests: [
      { disk: { bytes: 1.97e12, capacity: null, bytesPerDay: 6e9 } },
      { disk: { bytes: 1.97e12, capacity: 2e12, bytesPerDay: null } },
      { disk: { bytes: 1.97e12, capacity: 2e12, bytesPerDay: -1 } },
    ],
  },
  backup_old: {
    fires: [[atServer({ backupDays: 3.1 }), /3 days old/]],
    rests: [atServer({ backupDays: null })],
  },
  verification_old: {
    fires: [[atServer({ verificationDays: 9 }), /last proven 9 days ago/]],
    rests: [atServer({ verificationDays: null })],
  },
  schema_version: {
    fires: [
      [atServer({ schemaVersion: schemaVersion - 1 }), /older than this program's .*blockmill init/],
      [atServer({ schemaVersion: schemaVersion + 1 }), /newer than this program's/],
    ],
    rests: [],
  },
};

for (const name of alertRuleNames) {
  const told = cases[name];
  test(`${name}: ${told === "an event" ? "an event, not looked for" : alertRules[name].doc}`, () => {
    if (told === "an event") {
      assert.equal(rules[name].look, undefined);
      return;
    }
    assert.equal(look(name, {}), null, "where all is well");
    for (const [change, message] of told.fires) assert.match(look(name, change) ?? "nothing", message);
    for (const change of told.rests) assert.equal(look(name, change), null, JSON.stringify(change));
  });
}

test("what the server and the disk say is unknown before they were asked, not well", () => {
  for (const name of [
    "old_transaction",
    "connections",
    "backup_old",
    "schema_version",
    "reorg_deep",
  ] as const)
    assert.equal(look(name, { server: undefined }), undefined, name);
  assert.equal(look("disk_forecast", { disk: undefined }), undefined);
});

test("every rule has its heading in TROUBLESHOOTING, which alerts link to, and its line in OPERATIONS", () => {
  const troubleshooting = readFileSync(`${projectRoot}docs/TROUBLESHOOTING.md`, "utf8");
  const operations = readFileSync(`${projectRoot}docs/OPERATIONS.md`, "utf8");
  const headings = [...troubleshooting.matchAll(/^## Alert `(\w+)`$/gm)].map(([, name]) => name);
  assert.deepEqual([...headings].sort(), [...alertRuleNames].sort());
  const lines = [...operations.matchAll(/^\| `(\w+)` +\| (err|warning) .*$/gm)].map(([line]) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const seconds = (value: number) => `${value.toLocaleString("en")} s`;
  const expected = alertRuleNames.map((name) => {
    const { doc, threshold, unit, forSeconds, clearSeconds, isEvent } = alertRules[name];
    const limit = threshold === null ? "" : `${threshold.toLocaleString("en")} ${unit}`;
    const lasts = isEvent ? "" : seconds(forSeconds);
    return [`\`${name}\``, rules[name].priority, doc, limit, lasts, seconds(clearSeconds)];
  });
  assert.deepEqual(lines, expected);
});
