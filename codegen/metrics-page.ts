// docs/METRICS.md, made of the list of metrics: node dist/codegen/metrics-page.js >docs/METRICS.md

import { fileURLToPath } from "node:url";
import { type MetricName, metricNames, metricRow } from "../src/metrics/list.js";

/** The page. test/metrics/metrics-page.test.ts holds what is checked in against it. */
export function metricsPage(): string {
  const of = (whose: "daemon" | "schema") => metricNames.filter((name) => metricRow(name).of === whose);
  return `# Metrics

What \`/metrics\` serves for Prometheus ([OPERATIONS.md](OPERATIONS.md#over-http) says where). \`"web": {"listen": "127.0.0.1:9464"}\` in the
configuration switches it on (it becomes the default once the page is there). This page is made of
\`src/metrics/list.ts\`; a test holds it against what is exported. A name that is on it keeps its meaning and its labels until
the next major release.

Counters and histograms begin at 0 when the daemon starts. They add up what all its processes have counted, those that
are gone included: a process that is killed takes at most its last second with it.

## The daemon's own

Each daemon exports its own figures. Those of many daemons add up: \`sum(rate(blockmill_blocks_committed_total[5m]))\`.

${table(of("daemon"))}

## The schema's

They are read from the database when somebody asks, once a second at most. Several daemons may share a schema: only the
one that leads exports them, so that nothing is counted twice. Where no daemon leads they are absent: alert on
\`absent(blockmill_lag_seconds)\` too. While the database cannot be read, the last figures stay, \`blockmill_lag_seconds\` grows
on, and \`blockmill_schema_read_age_seconds\` says how old the others are.

${table(of("schema"))}

A table's growth a day: \`deriv(blockmill_table_bytes[1d]) * 86400\`. The lag in seconds is right as it is; for how far
the newest block is behind during a backfill of older ones: \`time() - blockmill_stored_timestamp_seconds\`.
`;
}

function table(names: readonly MetricName[]): string {
  const rows = names.map((name) => {
    const { type, labels, help } = metricRow(name);
    return [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(", "), help];
  });
  const head = ["name", "type", "labels", "meaning"];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? "").length)));
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(metricsPage());
