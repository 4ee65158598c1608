import Table from "cli-table3";
import { quantile } from "../../bench/harness/statistics.js";
import type { Finding } from "./history.js";
import type { Scenario } from "./scenario.js";
import type { Outcome } from "./suite.js";

/** Findings that are printed of each kind. */
const shown = 10;

export interface Row {
  what: string;
  count: number;
  p50: number;
  p99: number;
  slowest: number;
  boundMs: number | undefined;
  /** Of those that were measured while other faults were under way: no bound applies. */
  slowestMixed: number | undefined;
}

/** Recoveries by what was measured; the slowest p99 first. */
export function recoveryRows({ tally }: Outcome, scenarios: readonly Scenario[]): Row[] {
  const bounds = Object.assign({}, ...scenarios.map((scenario) => scenario.bounds ?? {})) as Record<
    string,
    number
  >;
  const kinds = [...new Set(tally.recoveries.map(({ what }) => what))].sort();
  return kinds.map((what) => {
    const of = (isAlone: boolean): number[] =>
      tally.recoveries.filter((each) => each.what === what && each.isAlone === isAlone).map(({ ms }) => ms);
    const [alone, mixed] = [of(true), of(false)];
    return {
      what,
      count: alone.length + mixed.length,
      p50: quantile(alone, 0.5),
      p99: quantile(alone, 0.99),
      slowest: alone.length === 0 ? Number.NaN : Math.max(...alone),
      boundMs: bounds[what],
      slowestMixed: mixed.length === 0 ? undefined : Math.max(...mixed),
    };
  });
}

/** Bounds that were passed, in words. */
export function missedBounds(rows: readonly Row[]): string[] {
  return rows.flatMap(({ what, p99, boundMs }) =>
    boundMs !== undefined && p99 > boundMs ? [`${what}: p99 ${Math.round(p99)} ms, bound ${boundMs} ms`] : [],
  );
}

/** The report for people: what happened, and what came of it. */
export function renderReport(outcome: Outcome, scenarios: readonly Scenario[]): string {
  const { tally, verdict, counts } = outcome;
  const rows = recoveryRows(outcome, scenarios);
  const facts = table(["", "", ""]);
  facts.push(
    ["blocks", verdict.blocks, `stored ${counts.stored} times, ${counts.removed} of them undone or replaced`],
    ["claims", counts.claims, `${counts.completions} completions`],
    ["faults", tally.faultCount, ""],
    ["lost", verdict.lost.length, ""],
    ["doubled", verdict.doubled.length, ""],
    ["wrong", verdict.wrong.length, ""],
    ["moments", outcome.moments.length, "looked lost or wrong at rest, and were right two seconds later"],
    ["broken promises", tally.broken.length, `${outcome.looks} looks at the invariants`],
    [
      "longest claim of the dead",
      `${Math.round(outcome.longestDeadClaimMs)} ms`,
      "as seen every 250 ms, while the database answered",
    ],
    ["rests", outcome.restMs.length, `slowest ${(Math.max(0, ...outcome.restMs) / 1_000).toFixed(1)} s`],
  );
  const faults = table(["fault", "injected"]);
  for (const [kind, count] of [...tally.faults].sort()) faults.push([kind, count]);
  const recoveries = table([
    "recovery",
    "n",
    "p50 ms",
    "p99 ms",
    "slowest",
    "bound",
    "kept",
    "slowest, mixed",
  ]);
  for (const { what, count, p50, p99, slowest, boundMs, slowestMixed } of rows) {
    const kept = boundMs === undefined || Number.isNaN(p99) ? "" : p99 <= boundMs ? "yes" : "NO";
    recoveries.push([what, count, ms(p50), ms(p99), ms(slowest), boundMs ?? "", kept, ms(slowestMixed)]);
  }
  const findings = (["lost", "doubled", "wrong"] as const).flatMap((kind) => listed(kind, verdict[kind]));
  return [
    facts.toString(),
    faults.toString(),
    recoveries.toString(),
    ...[...tally.notes].map(([name, note]) => `${name}: ${note}`),
    ...outcome.skipped.map(({ name, reason }) => `not run: ${name} (${reason})`),
    ...findings,
    ...listed("for a moment at rest", outcome.moments),
    ...listed("broken promise", tally.broken),
  ].join("\n");
}

function listed(kind: string, findings: readonly Finding[]): string[] {
  const lines = findings
    .slice(0, shown)
    .map(
      ({ block, what, detail }) =>
        `${kind}: ${block === null ? "" : `block ${block} `}${what}${detail === undefined ? "" : ` (${detail})`}`,
    );
  return findings.length > shown ? [...lines, `${kind}: and ${findings.length - shown} more`] : lines;
}

function table(head: string[]): InstanceType<typeof Table> {
  return new Table({ head, style: { head: [], border: [], compact: true } });
}

function ms(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "" : String(Math.round(value));
}
