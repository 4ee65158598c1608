import { Registry } from "@prometheus-io/client";
import type { Series, Value } from "../metrics/counts.js";
import { type MetricName, metricNames, metricRow } from "../metrics/list.js";

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export const expositionType = Registry.PROMETHEUS_CONTENT_TYPE;

interface Sample {
  value: number;
  labels: Record<string, string>;
  metricName?: string;
}

/** Series as Prometheus reads them: every metric of the list, in its order. One without series is named all the same. */
export async function exposition(series: Series): Promise<string> {
  const metrics = metricNames.map((name) => {
    const { type, help } = metricRow(name);
    return { name, type, help, values: (series[name] ?? []).flatMap((each) => samplesOf(name, each)) };
  });
  return Registry.aggregate([metrics]).metrics();
}

function samplesOf(name: MetricName, [values, value]: [string[], Value]): Sample[] {
  const { labels: names, buckets = [] } = metricRow(name);
  const labels = Object.fromEntries(names.map((label, i) => [label, values[i] ?? ""]));
  if (typeof value === "number") return [{ value, labels }];
  const [sum = 0, count = 0, ...within] = value;
  let below = 0;
  const bucketSamples = [...buckets, Number.POSITIVE_INFINITY].map((bound, i): Sample => {
    below += within[i] ?? 0;
    const le = Number.isFinite(bound) ? String(bound) : "+Inf";
    return { value: below, labels: { ...labels, le }, metricName: `${name}_bucket` };
  });
  return [
    ...bucketSamples,
    { value: sum, labels, metricName: `${name}_sum` },
    { value: count, labels, metricName: `${name}_count` },
  ];
}
