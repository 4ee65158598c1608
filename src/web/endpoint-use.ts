import type { DaemonView } from "../child/daemon-view.js";
import type { Series } from "../metrics/counts.js";
import type { MetricName } from "../metrics/list.js";

/** What this daemon has asked of an endpoint since its start, and asks now. */
export interface EndpointUse {
  name: string;
  inFlight: number;
  /** Requests that may be out at once; null: no process has said. */
  limit: number | null;
  served: number;
  refused: number;
  timedOut: number;
  failed: number;
  blamed: number;
}

/** A kind of death of this daemon's processes, and how often it was. */
export interface Deaths {
  role: string;
  reason: string;
  count: number;
}

/** The use of every endpoint that was asked, in the order of their names. */
export function endpointUses(view: DaemonView): EndpointUse[] {
  const gauges = [view.gauges, ...view.children.map((child) => child.gauges)];
  const of = (all: readonly Series[], name: MetricName, endpoint: string, outcome?: string): number[] =>
    all.flatMap((series) =>
      (series[name] ?? []).flatMap(([labels, value]) =>
        labels[0] === endpoint && (outcome === undefined || labels[2] === outcome) ? [Number(value)] : [],
      ),
    );
  const sum = (values: number[]): number => values.reduce((a, b) => a + b, 0);
  const requests = view.counted.blockmill_rpc_requests_total ?? [];
  const names = [...new Set(requests.flatMap(([[name]]) => name ?? []))].sort();
  return names.map((name) => {
    const limits = of(gauges, "blockmill_rpc_limit_requests", name);
    const outcome = (which: string) => sum(of([view.counted], "blockmill_rpc_requests_total", name, which));
    return {
      name,
      inFlight: sum(of(gauges, "blockmill_rpc_in_flight_requests", name)),
      limit: limits.length === 0 ? null : sum(limits),
      served: outcome("served"),
      refused: outcome("refused"),
      timedOut: outcome("timed_out"),
      failed: outcome("failed"),
      blamed: sum(of([view.counted], "blockmill_rpc_blamed_total", name)),
    };
  });
}

/** How its processes died since its start. */
export function deathsOf({ counted }: DaemonView): Deaths[] {
  return (counted.blockmill_worker_deaths_total ?? []).flatMap(([[role = "", reason = ""], value]) =>
    Number(value) === 0 ? [] : [{ role, reason, count: Number(value) }],
  );
}
