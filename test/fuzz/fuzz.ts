// npm run fuzz: hostile input for everything that reads what somebody else wrote, for as long as is wanted.

import { inspect, parseArgs } from "node:util";
import fc from "fast-check";
import { type Target, targets } from "./targets.js";

const help = `npm run fuzz -- [--minutes M] [--seed S] [TARGET ...]

Feeds hostile input to the targets (${targets.map(({ name }) => name).join(", ")}), each for its share of
the time (5 minutes unless stated). Ends with 0, or with 1 and the smallest input that broke a promise.`;

export interface Run {
  target: string;
  inputs: number;
  /** What broke, with the seed and the smallest input; undefined: nothing. */
  failure: string | undefined;
}

/** Feeds a target inputs until their number or the time is used up. */
export function fuzz(
  { name, inputs, check }: Target,
  { seed, most, forMs }: { seed: number; most: number; forMs: number },
): Run {
  let count = 0;
  const outcome = fc.check(
    fc.property(inputs, (input) => {
      count += 1;
      check(input);
    }),
    { seed, numRuns: most, interruptAfterTimeLimit: forMs },
  );
  const failure = outcome.failed && !outcome.interrupted ? told(outcome) : undefined;
  return { target: name, inputs: count, failure };
}

function told<T>(outcome: fc.RunDetails<T>): string {
  const { errorInstance } = outcome;
  const why = errorInstance instanceof Error ? inspect(errorInstance) : String(errorInstance);
  return `${fc.defaultReportMessage(outcome)}\n${why}`;
}

export function main(argv: string[]): number {
  const { values, positionals } = parseArgs({
    args: argv,
    options: {
      minutes: { type: "string", default: "5" },
      seed: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const wanted = targets.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const unknown = positionals.filter((name) => !targets.some((each) => each.name === name));
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  if (unknown.length > 0 || !(minutes > 0) || !Number.isSafeInteger(seed)) {
    console.error(help);
    return 2;
  }
  console.log(`seed ${seed}, ${minutes} minutes`);
  let failed = 0;
  for (const each of wanted) {
    const forMs = (minutes * 60_000) / wanted.length;
    const { target, inputs, failure } = fuzz(each, { seed, most: Number.MAX_SAFE_INTEGER, forMs });
    console.log(
      `${target}: ${inputs.toLocaleString("en-US")} inputs, ${failure === undefined ? "no promise broken" : "BROKEN"}`,
    );
    if (failure !== undefined) console.log(failure.slice(0, 10_000));
    failed += failure === undefined ? 0 : 1;
  }
  return failed > 0 ? 1 : 0;
}
