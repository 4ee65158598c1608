import type { Chains } from "./chains.js";
import type { Peers } from "./peers.js";
import type { Server } from "./server.js";
import { type Spread, spreadOf } from "./statistics.js";

/** What the benchmarks work with. */
export interface Bench {
  server: Server;
  chains: Chains;
  peers: Peers;
  /** Small and short: for a look, not for figures. */
  quick: boolean;
  repetitions: number;
  /** How long a worker's memory is watched. */
  minutes: number;
  /** A folder for CPU profiles of what is measured of blockmill. */
  profile: string | undefined;
  /** A line of progress. */
  say(line: string): void;
}

/** Benchmarks that share their floors and peers, so that those are measured once for all of them. */
export interface Suite {
  names: readonly string[];
  /** Runs the benchmarks of these names, which are some of its own. */
  run(bench: Bench, names: ReadonlySet<string>): Promise<Figure[]>;
}

/** One line of the table. */
export interface Figure {
  benchmark: string;
  what: string;
  unit: string;
  value: Spread;
  /** The floor or the peer, and the value's ratio to it within each repetition. */
  against?: { what: string; value: Spread; ratio: Spread };
  target?: Target & { met: boolean };
  /** What stands in the way of reading it plainly. */
  note?: string;
}

/** On the ratio if there is one, on the value otherwise. */
export type Target = { atLeast: number } | { atMost: number } | { below: number };

/** A thing to be measured, as often as there are repetitions. */
export type Cases<Name extends string> = Partial<Record<Name, () => Promise<number>>>;

/** The samples of each case, in the order of the repetitions; a case that failed has none. */
export interface Measured<Name extends string> {
  samples: Partial<Record<Name, number[]>>;
  /** Why a case has no samples. */
  failures: Partial<Record<Name, string>>;
}

/** Measures every case once, then every case again, ...: what slows the machine for a while slows all alike. */
export async function interleave<Name extends string>(
  { repetitions, say }: Pick<Bench, "repetitions" | "say">,
  cases: Cases<Name>,
): Promise<Measured<Name>> {
  const measured: Measured<Name> = { samples: {}, failures: {} };
  for (let repetition = 1; repetition <= repetitions; repetition += 1) {
    for (const [name, measure] of Object.entries(cases) as [Name, () => Promise<number>][]) {
      if (measured.failures[name] !== undefined) continue;
      try {
        const value = await measure();
        measured.samples[name] = [...(measured.samples[name] ?? []), value];
        say(`${repetition}/${repetitions}  ${name}: ${format(value)}`);
      } catch (error) {
        // A peer that cannot be run must not take the other figures with it.
        measured.failures[name] = firstLine(error);
        delete measured.samples[name];
        say(`${repetition}/${repetitions}  ${name} FAILED: ${error instanceof Error ? error.stack : error}`);
      }
    }
  }
  return measured;
}

export interface FigureOrder<Name extends string> {
  benchmark: string;
  of: Name;
  unit: string;
  /** The floors or peers; each is a line of its own. None: the value alone. */
  against?: { name: Name; target?: Target }[];
  /** On the value itself. */
  target?: Target;
  note?: string;
}

/** The lines of one measured case. One that failed, or whose counterpart did, is a line that says so. */
export function figures<Name extends string>(
  { samples, failures }: Measured<Name>,
  { benchmark, of, unit, against = [], target, note }: FigureOrder<Name>,
): Figure[] {
  const own = samples[of];
  const nothing = { median: Number.NaN, min: Number.NaN, max: Number.NaN };
  const base = { benchmark, what: of, unit, ...(note !== undefined && { note }) };
  if (own === undefined) return [{ ...base, value: nothing, note: `failed: ${failures[of]}` }];
  const value = spreadOf(own);
  const alone = { ...base, value, ...(target && { target: judged(target, value.median) }) };
  const compared = against.map(({ name, target }) => {
    const other = samples[name];
    if (other === undefined) {
      const unknown = { what: name, value: nothing, ratio: nothing };
      return { ...base, value, against: unknown, note: `${name} failed: ${failures[name]}` };
    }
    const ratio = spreadOf(own.map((sample, i) => sample / (other[i] ?? Number.NaN)));
    return {
      ...base,
      value,
      against: { what: name, value: spreadOf(other), ratio },
      ...(target && { target: judged(target, ratio.median) }),
    };
  });
  return target !== undefined || compared.length === 0 ? [alone, ...compared] : compared;
}

function judged(target: Target, value: number): Target & { met: boolean } {
  if ("atLeast" in target) return { ...target, met: value >= target.atLeast };
  if ("atMost" in target) return { ...target, met: value <= target.atMost };
  return { ...target, met: value < target.below };
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split("\n")[0] ?? "").slice(0, 200);
}

/** Three significant digits are more than a benchmark has. */
export function format(value: number): string {
  if (Number.isNaN(value)) return "-";
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
