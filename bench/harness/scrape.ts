// What a daemon's /metrics says, as numbers.

import { get } from "node:http";
import { text } from "node:stream/consumers";

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export type Samples = readonly Sample[];

/** The body of a daemon's answer; `address` is HOST:PORT. Throws unless the status is 200. */
export function read(address: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(`http://${address}${path}`, { agent: false }, (response) => {
      text(response).then((body) => {
        if (response.statusCode === 200) resolve(body);
        else reject(new Error(`${path} answers ${response.statusCode}: ${body}`));
      }, reject);
    });
    request.on("error", reject);
  });
}

export async function scrape(address: string): Promise<Samples> {
  return parseScrape(await read(address, "/metrics"));
}

/** The samples of a page in Prometheus' text format. Throws for a line that it cannot read. */
function parseScrape(page: string): Samples {
  return page
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, name, labels = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`no sample: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)];
      return {
        name,
        labels: Object.fromEntries(pairs.map(([, key, text]) => [key, text])) as Record<string, string>,
        value: numberOf(value),
      };
    });
}

/** The sum of a metric's samples that have these labels, whatever others they have. */
export function sumOf(samples: Samples, name: string, labels: Record<string, string> = {}): number {
  return withLabels(samples, name, labels).reduce((sum, { value }) => sum + value, 0);
}

/** The bound of a histogram's bucket below which a share `q` (0 to 1) of its observations lies; 0 where there are none. */
export function upperQuantile(
  samples: Samples,
  name: string,
  { labels = {}, q }: { labels?: Record<string, string>; q: number },
): number {
  const count = sumOf(samples, `${name}_count`, labels);
  if (count === 0) return 0;
  const bounds = withLabels(samples, `${name}_bucket`, labels)
    .map(({ labels: { le = "+Inf" }, value }) => ({ bound: numberOf(le), value }))
    .sort((one, other) => one.bound - other.bound);
  return bounds.find(({ value }) => value >= q * count)?.bound ?? Number.POSITIVE_INFINITY;
}

/** A number as Prometheus writes it. */
function numberOf(text: string): number {
  return Number(text.replace(/Inf$/, "Infinity"));
}

function withLabels(samples: Samples, name: string, labels: Record<string, string>): Samples {
  return samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
}
