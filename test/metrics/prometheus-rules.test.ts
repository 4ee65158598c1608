// Whether monitoring/blockmill.rules.yml is what the lists say, and Prometheus' own tool takes it: each alert fires and clears.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { type PrometheusRule, prometheusRuleList, prometheusRules } from "../../codegen/prometheus-rules.js";
import { alertRuleNames } from "../../src/config/alert-rules.js";
import { metrics } from "../../src/metrics/list.js";
import { projectRoot } from "../support/project.js";

const file = `${projectRoot}monitoring/blockmill.rules.yml`;
const noPromtool =
  spawnSync("promtool", ["--version"]).error === undefined
    ? false
    : "no `promtool` on the PATH (Debian: prometheus)";

function promtool(...args: string[]): void {
  const { status, stdout, stderr } = spawnSync("promtool", args, { encoding: "utf8" });
  assert.equal(status, 0, `${stdout}${stderr}`);
}

test("monitoring/blockmill.rules.yml is made of the list of alert rules, of metrics that are exported, and of headings that are there", async () => {
  assert.equal(
    await readFile(file, "utf8"),
    prometheusRules(),
    "make it anew: node dist/codegen/prometheus-rules.js >monitoring/blockmill.rules.yml",
  );
  const troubleshooting = await readFile(`${projectRoot}docs/TROUBLESHOOTING.md`, "utf8");
  const headings = [...troubleshooting.matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );
  for (const { alert, expr, heading } of prometheusRuleList) {
    const named = expr.match(/blockmill_\w+/g) ?? [];
    assert(named.length > 0, alert);
    for (const name of named) assert(name in metrics, `${alert}: ${name}`);
    assert(headings.includes(heading), `${alert}: docs/TROUBLESHOOTING.md has no heading ${heading}`);
  }
  for (const name of alertRuleNames)
    assert(
      prometheusRuleList.some(({ expr }) => expr.includes(`kind="${name}"`)),
      name,
    );
  assert.equal(new Set(prometheusRuleList.map(({ alert }) => alert)).size, prometheusRuleList.length);
});

test("promtool takes the rules", { skip: noPromtool }, () => promtool("check", "rules", file));

/** The series while all is well, and while it is not; undefined: it is not there. */
function seriesOf({ expr }: PrometheusRule): {
  name: string;
  well: string | undefined;
  ill: string | undefined;
} {
  const [, gone] = /^absent\((\w+)\)$/.exec(expr) ?? [];
  if (gone !== undefined) return { name: gone, well: "1", ill: undefined };
  const [, name = "", sign, limit] = /^(?:max\()?(\w+(?:\{kind="\w+"\})?)\)? (==|>) (\d+)$/.exec(expr) ?? [];
  assert.notEqual(name, "", `not known here: ${expr}`);
  if (sign === ">") return { name, well: limit, ill: String(Number(limit) + 1) };
  return name.includes("{") ? { name, well: undefined, ill: limit } : { name, well: "1", ill: limit };
}

/** Of all rules at once: five minutes well, ten ill, then well again. */
function scenario(): object {
  const times = (value: string | undefined, count: number): string =>
    value === undefined ? `stale${" _".repeat(count - 1)}` : `${value}x${count - 1}`;
  const series = prometheusRuleList.map((rule) => {
    const { name, well, ill } = seriesOf(rule);
    return {
      series: name.includes("{") ? name.replace("}", ',instance="a"}') : `${name}{instance="a"}`,
      values: `${times(well, 5)} ${times(ill, 10)} ${times(well, 20)}`,
    };
  });
  const expectations = prometheusRuleList.flatMap((rule) => {
    const firing = [{ exp_labels: expectedLabels(rule), exp_annotations: annotationsOf(rule) }];
    const at = (time: string, alerts: object[]): object => ({
      eval_time: time,
      alertname: rule.alert,
      exp_alerts: alerts,
    });
    return [at("4m", []), at("13m", firing), at("25m", [])];
  });
  return { interval: "1m", input_series: series, alert_rule_test: expectations };
}

function expectedLabels({ expr, severity }: PrometheusRule): Record<string, string> {
  const [, kind] = /kind="(\w+)"/.exec(expr) ?? [];
  const instance = /^(absent|max)\(/.test(expr) ? {} : { instance: "a" };
  return { severity, ...instance, ...(kind === undefined ? {} : { kind }) };
}

function annotationsOf({ summary, heading }: PrometheusRule): Record<string, string> {
  return { summary, runbook: `docs/TROUBLESHOOTING.md#${heading}` };
}

test("promtool sees each alert fire while it is so, and clear when it is over", {
  skip: noPromtool,
}, async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), "blockmill-rules-"));
  t.after(() => rm(folder, { recursive: true }));
  const tests = path.join(folder, "tests.yml");
  const scenarios = { rule_files: [file], evaluation_interval: "1m", tests: [scenario()] };
  // JSON is YAML.
  await writeFile(tests, JSON.stringify(scenarios, null, 1));
  promtool("test", "rules", tests);
});
