/** What the configuration says of an alert rule where nobody says otherwise. */
export interface RuleDefaults {
  /** When it fires, in the words of `blockmill config --explain`. */
  doc: string;
  /** What the value is compared with; null: the rule has none. */
  threshold: number | null;
  /** Of the threshold. */
  unit: string;
  /** Seconds for which it must be so before the alert is raised, and for which it must be over before it is resolved. */
  forSeconds: number;
  clearSeconds: number;
  /** It is raised as it happens, by who notices it, and lasts `clearSeconds` after the last time: it takes no for_seconds. */
  isEvent: boolean;
}

const rule = (
  doc: string,
  threshold: number | null,
  unit: string,
  forSeconds: number,
  clearSeconds: number,
): RuleDefaults => ({ doc, threshold, unit, forSeconds, clearSeconds, isEvent: false });

const event = (doc: string, clearSeconds: number): RuleDefaults => ({
  doc,
  threshold: null,
  unit: "",
  forSeconds: 0,
  clearSeconds,
  isEvent: true,
});

/** Every alert rule, once. What it looks at is in src/orchestrator/alerts/NAME.ts. */
export const alertRules = {
  jobs_waiting: rule("more jobs wait, and it is no backfill that progresses", 1_000, "jobs", 60, 30),
  error_rate: rule("a larger share of the attempts within alerts.window_seconds failed", 5, "%", 5, 30),
  failed_jobs: rule("more jobs failed for good, and wait for a person", 0, "jobs", 5, 5),
  no_workers: rule("no worker lives", null, "", 15, 5),
  slow_block: rule("a block was claimed longer ago and is not stored", 60, "s", 0, 5),
  no_progress: rule("jobs wait, and nothing was stored for longer", 60, "s", 0, 5),
  lag: rule("the newest stored block is further behind the head that is followed", 300, "s", 30, 30),
  head_stalled: rule("no new head came for more of the chain's block times", 10, "block times", 20, 5),
  endpoints_down: rule("each endpoint is down, or has not answered for longer", 8, "s", 2, 10),
  endpoint_lies: rule("an endpoint was put aside for what it served", null, "", 0, 60),
  verification_failures: rule(
    "more attempts within alerts.window_seconds failed since what was sent is not proven",
    0,
    "attempts",
    0,
    30,
  ),
  head_failures: rule(
    "as many heads in a row failed for one reason, and nothing behind them is stored",
    3,
    "heads",
    0,
    5,
  ),
  reorg_deep: rule("a deeper reorg was undone within alerts.window_seconds", 12, "blocks", 0, 3_600),
  reorg_too_deep: event("a reorg deeper than chain.max_reorg_depth was refused", 0),
  false_head: event("an endpoint told of a head that the chain does not have", 600),
  other_chain: event("an endpoint that served this chain serves another one now", 0),
  crash_loop: event("a daemon was started again and again within two minutes", 120),
  lock_wait: rule("something waits longer for a lock of somebody else's", 3, "s", 0, 0),
  old_transaction: rule(
    "a transaction is open for longer than database.old_transaction_seconds",
    null,
    "",
    0,
    0,
  ),
  notification_queue: rule("PostgreSQL's queue of notifications is fuller", 10, "%", 15, 30),
  worker_deaths: rule("more processes of the daemons died within alerts.window_seconds", 2, "deaths", 0, 300),
  connections: rule("more of PostgreSQL's max_connections are taken", 90, "%", 30, 60),
  disk_forecast: rule("at the growth of the last days the disk is full in fewer days", 7, "days", 0, 3_600),
  backup_old: rule("the last backup by blockmill is older; without any nobody looks", 3, "days", 0, 5),
  verification_old: rule("the last blockmill verify is older; without any nobody looks", 8, "days", 0, 5),
  schema_version: rule("the schema is of another version than the program", null, "", 30, 5),
} as const satisfies Record<string, RuleDefaults>;

export type AlertRuleName = keyof typeof alertRules;

export const alertRuleNames = Object.keys(alertRules) as readonly AlertRuleName[];

/** What `alerts.rules` may say of a rule. */
export interface RuleFields {
  threshold?: number;
  for_seconds?: number;
  clear_seconds?: number;
  off?: boolean;
}

/** A rule as it is in force. */
export interface RuleSetting {
  isOff: boolean;
  threshold: number;
  forMs: number;
  clearMs: number;
}

/** Each rule as it is in force, by `alerts.rules`, which the configuration holds as JSON. */
export function ruleSettings(rules: string): Record<AlertRuleName, RuleSetting> {
  const said = (rules === "" ? {} : JSON.parse(rules)) as Partial<Record<AlertRuleName, RuleFields>>;
  const entries = alertRuleNames.map((name) => {
    const { threshold, forSeconds, clearSeconds } = alertRules[name];
    const fields = said[name] ?? {};
    const setting: RuleSetting = {
      isOff: fields.off ?? false,
      threshold: fields.threshold ?? threshold ?? 0,
      forMs: (fields.for_seconds ?? forSeconds) * 1_000,
      clearMs: (fields.clear_seconds ?? clearSeconds) * 1_000,
    };
    return [name, setting] as const;
  });
  return Object.fromEntries(entries) as Record<AlertRuleName, RuleSetting>;
}
