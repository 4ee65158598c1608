// Every alert rule, and the real fault that the daemon's tests drive it with: into firing, and out of it again.

import assert from "node:assert/strict";
import type { AlertRuleName } from "../../src/config/alert-rules.js";
import type { Daemon } from "../support/daemon.js";
import { type Scene, until } from "./scene.js";

export interface Fault {
  /** What is done, in words. */
  by: string;
  /** Where: test/daemon/FILE.test.ts. */
  file: string;
  priority: "err" | "warning";
  says: RegExp;
}

const fault = (file: string, priority: Fault["priority"], by: string, says: RegExp): Fault => ({
  by,
  file,
  priority,
  says,
});

export const faults: Readonly<Record<AlertRuleName, Fault>> = {
  jobs_waiting: fault("alerts", "err", "receipts never come", /\d+ jobs wait, .*blockmill status/),
  error_rate: fault("alerts", "err", "a node leaves out logs", /\d+ % of the attempts .*blockmill errors/),
  failed_jobs: fault(
    "alerts",
    "warning",
    "a node leaves out logs",
    /failed for good: .*blockmill retry --all/,
  ),
  no_workers: fault(
    "alerts",
    "err",
    "workers are killed, and those after them stopped while they start",
    /No worker lives|do not become ready/,
  ),
  slow_block: fault(
    "alerts",
    "warning",
    "receipts never come",
    /Block \d+ is in the hands of .*blockmill why/,
  ),
  no_progress: fault("alerts", "err", "receipts never come", /no block was stored for .*blockmill status/),
  lag: fault("alerts", "err", "receipts never come while the chain goes on", /is \d+ min behind the head/),
  head_stalled: fault("alerts", "err", "the chain stops", /The head has been \d+ for .*rpc\.urls/),
  endpoints_down: fault("alerts", "err", "the node hangs", /has not answered for \d+ s.*Nothing is lost/),
  endpoint_lies: fault("alerts", "err", "one node of two leaves out logs", /put aside for a while: .*reload/),
  verification_failures: fault(
    "alerts",
    "err",
    "a node leaves out logs",
    /what the nodes sent is not proven.*blockmill errors/,
  ),
  head_failures: fault(
    "hard-fork",
    "err",
    "a hard fork with a header field that nobody knows",
    /The heads from block 401 to 403 failed for the same reason, .*unknownRoot.*upgrade blockmill/,
  ),
  reorg_deep: fault("alerts-chain", "warning", "a reorg of 3 blocks", /A reorg of 3 blocks above block \d+/),
  reorg_too_deep: fault(
    "alerts-chain",
    "err",
    "a reorg deeper than chain.max_reorg_depth",
    /deep\. Nothing was removed.*chain\.max_reorg_depth/,
  ),
  false_head: fault(
    "alerts-chain",
    "err",
    "the node makes up a head",
    /tells of head 1000400|Head 1000400 proved false/,
  ),
  other_chain: fault(
    "alerts-chain",
    "err",
    "another chain's node behind the URL",
    /serves chain 5 now, and served chain 1 before/,
  ),
  crash_loop: fault(
    "alerts-database",
    "err",
    "the daemon is killed four times as it starts",
    /started 5 times in \d+ s/,
  ),
  lock_wait: fault(
    "alerts",
    "err",
    "somebody locks a table",
    /processing_jobs.*somebody.*pg_terminate_backend/,
  ),
  old_transaction: fault(
    "alerts-database",
    "warning",
    "somebody leaves a transaction open",
    /a person's psql.*is open for .*pg_terminate_backend/,
  ),
  notification_queue: fault(
    "alerts-database",
    "err",
    "somebody listens, stays in a transaction, and others notify",
    /queue of notifications is \d+ % full.*pg_stat_activity/,
  ),
  worker_deaths: fault(
    "alerts",
    "err",
    "workers are killed",
    /\d+ processes of the daemons died .*journalctl/,
  ),
  connections: fault(
    "alerts-database",
    "warning",
    "somebody takes connections",
    /of PostgreSQL's \d+ connections are taken.*max_connections/,
  ),
  disk_forecast: fault(
    "alerts-database",
    "warning",
    "blocks are stored, and the disk has a gigabyte",
    /The disk is full in \d+ days: .* of 1 GB.*blockmill disk/,
  ),
  backup_old: fault(
    "alerts-database",
    "warning",
    "days go by after a backup",
    /last backup by blockmill is 4 days old.*blockmill backup/,
  ),
  verification_old: fault(
    "alerts-database",
    "warning",
    "days go by after a verification",
    /last proven 9 days ago.*blockmill verify/,
  ),
  schema_version: fault(
    "alerts-database",
    "warning",
    "a newer program migrates the schema",
    /newer than this program's .*install/,
  ),
};

/** Raised as soon as it is so, and cleared soon after it is over. */
export const quick = { for_seconds: 0, clear_seconds: 1 };

export const isOpen = async ({ pool }: Pick<Scene, "pool">, rule: AlertRuleName): Promise<boolean> =>
  (await pool.query("select from alerts where kind = $1 and cleared_at is null", [rule])).rowCount === 1;

/** The log's lines that tell of an alert. */
export const logged = (daemon: Daemon, rule: AlertRuleName) =>
  daemon.program.output
    .filter((line) => line.includes(`"alert":"${rule}"`))
    .map((line) => JSON.parse(line) as { level: number; msg: string; resolved?: boolean });

/** Drives rules of one daemon by real faults. */
export function drive(scene: Pick<Scene, "pool">) {
  const fired = new Set<AlertRuleName>();
  const over = new Set<AlertRuleName>();
  return {
    /** Waits for the alert, and asserts that its row says what is wrong and what to do, with its priority. */
    async fires(rule: AlertRuleName): Promise<void> {
      const { priority, says } = faults[rule];
      const alert = await until(async () => {
        const { rows } = await scene.pool.query<{ message: string; priority: string }>(
          "select message, priority from alerts where kind = $1 order by id desc limit 1",
          [rule],
        );
        return rows[0];
      }, `the alert ${rule}`);
      assert.match(alert.message, says);
      assert.equal(alert.priority, priority, rule);
      fired.add(rule);
    },
    async clears(rule: AlertRuleName): Promise<void> {
      await until(async () => !(await isOpen(scene, rule)), `the end of ${rule}`);
      over.add(rule);
    },
    /** Asserts that exactly these rules fired and cleared, each with a line of its priority, and one as it was over. */
    async assertDriven(file: string, daemons: readonly Daemon[], rules: readonly AlertRuleName[]) {
      assert.deepEqual([...fired].sort(), [...rules].sort());
      assert.deepEqual([...over].sort(), [...rules].sort());
      for (const rule of rules) {
        assert.equal(faults[rule].file, file, rule);
        const lines = () => daemons.flatMap((daemon) => logged(daemon, rule));
        const level = faults[rule].priority === "err" ? 50 : 40;
        await until(
          () => lines().some((line) => line.level === level && faults[rule].says.test(line.msg)),
          `the line of ${rule}`,
        );
        await until(
          () => lines().some(({ resolved }) => resolved === true),
          `the line of the end of ${rule}`,
        );
      }
    },
  };
}
