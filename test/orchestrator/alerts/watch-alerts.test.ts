// Each rule from what stands in the tables to the alert and its end: real PostgreSQL, a leader that looks when told to.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { type AlertRuleName, alertRuleNames, alertRules } from "../../../src/config/alert-rules.js";
import { schemaVersion } from "../../../src/db/schema-version.js";
import { lookForAlerts } from "../../../src/orchestrator/alerts/look.js";
import { lookAtServer } from "../../../src/orchestrator/alerts/look-at-server.js";
import { Recall } from "../../../src/orchestrator/alerts/recall.js";
import type { DiskSeen, OwnEndpoint } from "../../../src/orchestrator/alerts/seen.js";
import { createAlertWatch } from "../../../src/orchestrator/alerts/watch-alerts.js";
import { raiseAlert } from "../../../src/queue/alerts.js";
import { configOf, silent, storedScene, useWorld } from "../scene.js";

const world = useWorld();
const { rows } = world;
/** A session of somebody else's, made when it is first asked for. */
let session: Promise<pg.Client> | undefined;
async function person(): Promise<pg.Client> {
  session ??= (async () => {
    const client = new pg.Client({ connectionString: world.url, application_name: "a person's psql" });
    client.on("error", () => {});
    await client.connect();
    return client;
  })();
  return session;
}
after(async () => (await session)?.end());
beforeEach(() =>
  world.pool.query(
    "truncate processing_workers, processing_upkeep, processing_disk; delete from schema_version where version > 2",
  ),
);

const up: OwnEndpoint = { name: "node", state: "up", reason: null, aside: false, silentMs: null };
const own = { endpoints: [up], disk: undefined as DiskSeen | undefined };
beforeEach(() => {
  own.endpoints = [up];
  own.disk = undefined;
});

/** A leader that begins: each rule fires at once, and is over at once. */
function lead(thresholds: Partial<Record<AlertRuleName, number>> = {}) {
  const rules = Object.fromEntries(
    alertRuleNames.map((name) => {
      const threshold = thresholds[name];
      if (alertRules[name].isEvent) return [name, { clear_seconds: 0 }];
      return [name, { for_seconds: 0, clear_seconds: 0, ...(threshold === undefined ? {} : { threshold }) }];
    }),
  );
  return createAlertWatch({
    pool: world.pool,
    config: configOf({ "alerts.rules": rules, "database.old_transaction_seconds": 0.05 }),
    log: silent,
    endpoints: () => own.endpoints,
    disk: () => own.disk,
    onLook: () => {},
  });
}

const openOf = async (kind: string) =>
  (
    await rows<{ message: string }>("select message from alerts where kind = $1 and cleared_at is null", [
      kind,
    ])
  )[0]?.message;

const run = (sql: string) => async () => {
  await world.pool.query(sql);
};
const head = (number: number, seenAgo = 5) =>
  `insert into processing_head (chain_id, next_block, head_number, head_hash, head_time, seen_at)
   values (1, ${number + 1}, ${number}, decode(repeat('ab', 32), 'hex'), to_timestamp(1.7e9 + ${number} * 12), now() - interval '${seenAgo} s')
   on conflict (one) do update set head_number = excluded.head_number, head_time = excluded.head_time, seen_at = excluded.seen_at`;
const process = (id: string, role: string, doing: object) =>
  `insert into processing_workers (worker_id, supervisor_id, role, hostname, pid, version, state, doing)
   values ('${id}', 'h', '${role}', 'h', 1, '1', 'idle', '${JSON.stringify(doing)}')
   on conflict (worker_id) do update set doing = excluded.doing, seen_at = now()`;
const failures = (count: number, name: string) =>
  `insert into processing_failures (job_id, block_number, attempt, class, message)
   select n, n, 1, '${name}', 'what happened' from generate_series(1, ${count}) as n`;

interface Drive {
  /** Makes it so, in steps: the leader looks after each. */
  begin: (() => Promise<void>)[];
  end: () => Promise<void>;
  says: RegExp;
  threshold?: number;
  /** It is over for a leader that begins then; for the one that saw it, time has to pass. */
  endsForNext?: boolean;
}

const jobs = (columns: string, values: string) => run(`insert into processing_jobs (${columns}) ${values}`);
const noJobs = run("truncate processing_jobs, processing_failures, processing_ranges");

const drives: Partial<Record<AlertRuleName, Drive>> = {
  jobs_waiting: {
    begin: [jobs("block_number", "select generate_series(1, 1001)")],
    end: noJobs,
    says: /1,001 jobs wait, and none is stored/,
  },
  error_rate: {
    begin: [run(failures(6, "retry"))],
    end: noJobs,
    says: /100 % of the attempts/,
    endsForNext: true,
  },
  failed_jobs: {
    begin: [jobs("block_number, status", "values (1, 'failed'), (2, 'failed'), (3, 'cancelled')")],
    end: noJobs,
    says: /^2 jobs failed for good/,
  },
  no_workers: { begin: [async () => {}], end: run(process("h/w1", "worker", {})), says: /No worker lives/ },
  slow_block: {
    begin: [
      jobs(
        "block_number, status, worker_id, started_at",
        "values (7, 'processing', 'h/w1', now() - interval '2 min'), (8, 'processing', 'h/w1', now())",
      ),
    ],
    end: noJobs,
    says: /Block 7 is in the hands of h\/w1 for 2 min/,
  },
  no_progress: {
    begin: [
      jobs(
        "block_number, created_at, run_at",
        "values (7, now() - interval '9 min', now() - interval '9 min')",
      ),
      () => sleep(20),
    ],
    end: jobs(
      "block_number, status, completed_at",
      "values (8, 'completed', clock_timestamp() + interval '1 s')",
    ),
    says: /no block was stored for 0 s/,
    threshold: 0.01,
  },
  lag: {
    begin: [
      async () => {
        await storedScene(world);
        await world.pool.query(
          "update processing_head set head_number = 45, head_time = head_time + interval '400 s'",
        );
      },
    ],
    end: run("update processing_head set head_number = 40"),
    says: /The newest stored block, 40, is 6 min behind the head, 45/,
  },
  head_stalled: {
    begin: [run(head(10)), run(head(12)), run(head(12, 200))],
    end: run(head(13)),
    says: /The head has been 12 for 3 min; the chain has a block every 12 s/,
  },
  endpoints_down: {
    begin: [
      async () => {
        own.endpoints = [{ ...up, silentMs: 9_000 }];
      },
    ],
    async end() {
      own.endpoints = [up];
    },
    says: /node has not answered for 9 s/,
  },
  endpoint_lies: {
    begin: [
      run(
        process("h/w1", "worker", {
          endpoints: [
            { name: "node", state: "resting", aside: true, reason: "block 7 of node is not proven" },
          ],
        }),
      ),
    ],
    end: run(process("h/w1", "worker", { endpoints: [{ name: "node", state: "up" }] })),
    says: /block 7 of node is not proven/,
  },
  verification_failures: {
    begin: [run(failures(1, "unproven"))],
    end: noJobs,
    says: /1 attempt of the last 5 min failed/,
    endsForNext: true,
  },
  head_failures: {
    begin: [
      run(head(100)),
      jobs(
        "block_number, status, attempts, last_error",
        "select n, 'failed', 3, 'block ' || n || ': transaction type 9 is not known' from generate_series(97, 99) as n",
      ),
    ],
    // A block behind them is stored.
    end: run(
      "update processing_head set head_number = 100; insert into processing_jobs (block_number, status, completed_at) values (100, 'completed', now())",
    ),
    says: /The heads from block 97 to 99 failed for the same reason/,
  },
  reorg_deep: {
    begin: [
      run(`insert into reorgs (fork_block, depth, old_head, new_head, new_hash, rows_removed, told_by, confirmed_by)
        values (900, 20, 920, 921, decode(repeat('ab', 32), 'hex'), '{}', 'a', 'b')`),
    ],
    end: run("update reorgs set detected_at = now() - interval '6 min'"),
    says: /A reorg of 20 blocks above block 900/,
  },
  old_transaction: {
    begin: [
      async () => {
        await (await person()).query("begin isolation level repeatable read");
        await (await person()).query("select from alerts");
        await sleep(100);
      },
    ],
    async end() {
      await (await person()).query("rollback");
    },
    says: /a person's psql.*pg_terminate_backend/,
  },
  notification_queue: {
    begin: [
      async () => {
        await (await person()).query("listen somewhere");
        await (await person()).query("begin");
        await (await person()).query("select 1");
        await world.pool.query(
          "select pg_notify('somewhere', repeat('x', 7000) || n) from generate_series(1, 50) as n",
        );
      },
    ],
    async end() {
      await (await person()).query("commit");
      await (await person()).query("unlisten *");
      await world.pool.query("select pg_notify('somewhere', '')");
    },
    says: /queue of notifications is 0 % full/,
    threshold: 0,
  },
  worker_deaths: {
    begin: [run(process("h", "supervisor", { deaths: 2 })), run(process("h", "supervisor", { deaths: 7 }))],
    end: async () => {},
    says: /5 processes of the daemons died/,
    endsForNext: true,
  },
  connections: {
    begin: [async () => {}],
    end: async () => {},
    says: /of PostgreSQL's \d+ connections are taken/,
    threshold: 0,
    endsForNext: true,
  },
  disk_forecast: {
    begin: [
      async () => {
        own.disk = { bytes: 9e11, capacity: 1e12, bytesPerDay: 5e10 };
      },
    ],
    async end() {
      own.disk = { bytes: 9e11, capacity: 2e12, bytesPerDay: 5e10 };
    },
    says: /full in 47 hours|full in 2 days/,
  },
  backup_old: {
    begin: [run("insert into processing_upkeep values ('backup', now() - interval '4 days')")],
    end: run("update processing_upkeep set done_at = now()"),
    says: /last backup by blockmill is 4 days old/,
  },
  verification_old: {
    begin: [run("insert into processing_upkeep values ('verification', now() - interval '9 days')")],
    end: run("update processing_upkeep set done_at = now()"),
    says: /last proven 9 days ago/,
  },
  schema_version: {
    begin: [run(`insert into schema_version (version, accepts) values (${schemaVersion + 1}, 1)`)],
    end: run(`delete from schema_version where version > ${schemaVersion}`),
    says: /newer than this program's/,
  },
};

for (const name of alertRuleNames) {
  const drive = drives[name];
  if (drive === undefined) continue;
  test(`${name} is raised by what stands in the tables, and cleared when that is over`, async () => {
    const thresholds = drive.threshold === undefined ? {} : { [name]: drive.threshold };
    let watch = lead(thresholds);
    for (const step of drive.begin) {
      await step();
      await watch.run();
    }
    assert.match((await openOf(name)) ?? "no alert", drive.says);
    await drive.end();
    // Another leader takes over: it knows what is open.
    if (drive.endsForNext) watch = lead();
    // What the server says is asked anew by a leader that begins.
    for (let look = 0; look < 2; look += 1) await watch.run();
    if ((await openOf(name)) !== undefined) await lead(drive.endsForNext ? {} : thresholds).run();
    assert.equal(await openOf(name), undefined);
  });
}

test("the rules that are not driven here are: by locks, heads and ends of a real daemon", () => {
  const elsewhere = ["reorg_too_deep", "false_head", "other_chain", "crash_loop", "lock_wait"];
  assert.deepEqual(
    alertRuleNames.filter((name) => drives[name] === undefined),
    elsewhere,
  );
});

test("an alert of an earlier leader is cleared where it is over", async () => {
  await raiseAlert(world.pool, "lock_wait", "a lock on a table is held by somebody");
  await lead().run();
  assert.equal(await openOf("lock_wait"), undefined);
});

test("while work is paused neither waiting jobs nor a standstill are told", async () => {
  await world.pool.query("update processing_control set paused_at = now()");
  await jobs(
    "block_number, created_at",
    "select n, now() - interval '9 min' from generate_series(1, 1100) as n",
  )();
  const watch = lead({ no_progress: 0.01 });
  await watch.run();
  await sleep(20);
  await watch.run();
  await world.pool.query("update processing_control set paused_at = null");
  assert.deepEqual([await openOf("jobs_waiting"), await openOf("no_progress")], [undefined, undefined]);
});

test("a look is one statement that reads little of a large queue", async () => {
  await world.pool.query(
    "insert into processing_jobs (block_number) select generate_series(1, 60000); analyze processing_jobs",
  );
  const look = await lookForAlerts(world.pool, {
    lockMs: 3_000,
    completedSince: 0,
    failedSince: null,
    windowSeconds: 300,
  });
  assert.equal(look.waiting, 20_000);
  const seen = new Recall(300).take(look, {
    endpoints: [],
    server: await lookAtServer(world.pool, { oldMs: 0, windowSeconds: 300 }),
    disk: undefined,
  });
  assert.deepEqual(
    [seen.waiting, seen.waitingIsAtLeast, seen.server?.schemaVersion],
    [20_000, true, schemaVersion],
  );
});
