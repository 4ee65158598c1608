// What a process counts, and how counts travel: plain objects over IPC, which add up.

import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
  metricRow,
  metrics,
} from "./list.js";

/** A counter's or a gauge's value; or a histogram's: sum, count, and how many fell into each bucket and above the last. */
export type Value = number | number[];

/** Series by metric: the values of its labels, and its value. */
export type Series = { [N in MetricName]?: [labels: string[], value: Value][] };

/** Series of one metric that are kept at most: labels are of our own making, so more would be a defect. */
const mostSeries = 1_000;

/** Counters and histograms. A count costs well below a microsecond: it may stand wherever something is asked or sent. */
export class Counts {
  readonly #metrics = new Map<MetricName, Map<string, [labels: string[], value: Value]>>();

  /** Adds to a counter. */
  add<N extends CounterName>(name: N, labels: LabelsOf<N>, by = 1): void {
    this.#add(name, labels as unknown as readonly string[], by);
  }

  /** Notes one measure in a histogram, in the unit of its name. */
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, measure: number): void {
    const { buckets = [] } = metricRow(name);
    const value = this.#histogram(name, labels as unknown as readonly string[]);
    let at = 0;
    while (at < buckets.length && measure > (buckets[at] ?? 0)) at += 1;
    value[0] = (value[0] ?? 0) + measure;
    value[1] = (value[1] ?? 0) + 1;
    value[2 + at] = (value[2 + at] ?? 0) + 1;
  }

  /** What was counted, and forgets it: so much is to be added elsewhere. Undefined: nothing was. */
  take(): Series | undefined {
    if (this.#metrics.size === 0) return undefined;
    const taken = this.all();
    this.#metrics.clear();
    return taken;
  }

  /** What was counted. */
  all(): Series {
    return Object.fromEntries([...this.#metrics].map(([name, series]) => [name, [...series.values()]]));
  }

  /** Adds what another process counted, which may be of another version: what this one does not know is left out. */
  merge(said: unknown): void {
    for (const [name, labels, value] of readSeries(said)) {
      if (metricRow(name).type === "counter" && typeof value === "number") this.#add(name, labels, value);
      if (metricRow(name).type !== "histogram" || typeof value === "number") continue;
      const sum = this.#histogram(name, labels);
      for (const [i, each] of value.entries()) sum[i] = (sum[i] ?? 0) + each;
    }
  }

  #add(name: MetricName, labels: readonly string[], by: number): void {
    const at = this.#at(name, labels, 0);
    at[1] = (at[1] as number) + by;
  }

  #histogram(name: MetricName, labels: readonly string[]): number[] {
    const { buckets = [] } = metricRow(name);
    return this.#at(name, labels, () => new Array<number>(buckets.length + 3).fill(0))[1] as number[];
  }

  #at(name: MetricName, labels: readonly string[], first: Value | (() => Value)): [string[], Value] {
    const series = this.#metrics.get(name) ?? new Map<string, [string[], Value]>();
    this.#metrics.set(name, series);
    const key = labels.length === 1 ? (labels[0] as string) : labels.join("\n");
    let at = series.get(key);
    if (at === undefined) {
      at = [[...labels], typeof first === "function" ? first() : first];
      if (series.size < mostSeries) series.set(key, at);
    }
    return at;
  }
}

/** The series in what another process said, that fit the list. */
export function readSeries(said: unknown): [name: MetricName, labels: string[], value: Value][] {
  if (typeof said !== "object" || said === null) return [];
  return Object.entries(said).flatMap(([name, series]) => {
    if (!Object.hasOwn(metrics, name) || !Array.isArray(series)) return [];
    const row = metricRow(name as MetricName);
    return series.flatMap((each: unknown): [MetricName, string[], Value][] => {
      const [labels, value] = Array.isArray(each) ? each : [];
      const fits =
        Array.isArray(labels) &&
        labels.length === row.labels.length &&
        labels.every((label) => typeof label === "string") &&
        isValue(value, row.type === "histogram" ? (row.buckets?.length ?? 0) + 3 : undefined);
      return fits ? [[name as MetricName, labels, value]] : [];
    });
  });
}

function isValue(value: unknown, length: number | undefined): value is Value {
  if (length === undefined) return Number.isFinite(value);
  return Array.isArray(value) && value.length === length && value.every(Number.isFinite);
}
