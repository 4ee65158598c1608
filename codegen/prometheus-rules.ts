// monitoring/blockmill.rules.yml, made of the list of alert rules: node dist/codegen/prometheus-rules.js >monitoring/blockmill.rules.yml

import { fileURLToPath } from "node:url";
import { alertRuleNames, alertRules } from "../src/config/alert-rules.js";
import { rules } from "../src/orchestrator/alerts/rules.js";

/** A rule of Prometheus. */
export interface PrometheusRule {
  alert: string;
  expr: string;
  for: string;
  severity: "critical" | "warning";
  summary: string;
  /** A heading of docs/TROUBLESHOOTING.md. */
  heading: string;
}

/** What the leader cannot tell: that it is gone, or sees nothing. */
const ofDaemons: readonly PrometheusRule[] = [
  {
    alert: "BlockmillGone",
    expr: "absent(blockmill_build_info)",
    for: "1m",
    severity: "critical",
    summary: "No daemon of blockmill answers Prometheus.",
    heading: "alert-no_workers",
  },
  {
    alert: "BlockmillLeaseLost",
    expr: "blockmill_lease_held == 0",
    for: "1m",
    severity: "critical",
    summary: "The lease of this host does not hold: none of its workers claims.",
    heading: "nothing-is-claimed",
  },
  {
    alert: "BlockmillNobodyLeads",
    expr: "max(blockmill_leader) == 0",
    for: "1m",
    severity: "critical",
    summary: "No daemon leads: the head is not followed, and nobody judges alerts.",
    heading: "nothing-is-claimed",
  },
  {
    alert: "BlockmillDatabaseUnread",
    expr: "blockmill_schema_read_age_seconds > 60",
    for: "0s",
    severity: "critical",
    summary:
      "The daemon has not read its schema for a minute: the database is away, or something holds a lock.",
    heading: "something-waits-for-a-lock",
  },
];

/** All of them: the daemons', and one for each kind of alert that a daemon raises, which has waited its time already. */
export const prometheusRuleList: readonly PrometheusRule[] = [
  ...ofDaemons,
  ...alertRuleNames.map((name) => ({
    alert: `Blockmill${name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())}`,
    expr: `blockmill_alerts{kind="${name}"} == 1`,
    for: "0s",
    severity: rules[name].priority === "err" ? ("critical" as const) : ("warning" as const),
    summary: summaryOf(name),
    heading: `alert-${name}`,
  })),
];

function summaryOf(name: (typeof alertRuleNames)[number]): string {
  const { doc, threshold, unit } = alertRules[name];
  const limit =
    threshold === null ? "" : ` (more than ${threshold} ${unit}, unless alerts.rules says otherwise)`;
  return `${doc.slice(0, 1).toUpperCase()}${doc.slice(1)}${limit}. blockmill alerts says what to do.`;
}

/** The file. test/metrics/prometheus-rules.test.ts holds what is checked in against it. */
export function prometheusRules(): string {
  const text = (value: string): string =>
    value.includes('"') ? `'${value.replaceAll("'", "''")}'` : JSON.stringify(value);
  const blocks = prometheusRuleList.map(
    (rule) => `      - alert: ${rule.alert}
        expr: ${text(rule.expr)}
        for: ${rule.for}
        # A daemon that is started again takes a moment to lead and to look.
        keep_firing_for: 1m
        labels:
          severity: ${rule.severity}
        annotations:
          summary: ${text(rule.summary)}
          runbook: ${text(`docs/TROUBLESHOOTING.md#${rule.heading}`)}
`,
  );
  return `# Rules for Prometheus (2.42 or newer), made of blockmill's own alert rules, by codegen/prometheus-rules.ts. rule_files in
# prometheus.yml names this file. How long and beyond what each must be so is in alerts.rules of the daemon's configuration.
groups:
  - name: blockmill
    rules:
${blocks.join("")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(prometheusRules());
