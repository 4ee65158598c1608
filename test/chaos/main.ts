// npm run chaos -- [--minutes M] [--seed S] [--scenario NAME ...] [--null-rounds] [--strict] [--json] [--list]
//
// Kills, freezes, cuts and poisons everything around a real daemon, and compares what is left with what should
// be. It needs npm, and nothing else; some scenarios need root and are skipped without. Progress goes to
// standard error, the report to standard output.

import { parseArgs } from "node:util";
import { sharePostgresBinaries } from "../support/postgres-binaries.js";
import { missedBounds, recoveryRows, renderReport } from "./report.js";
import { scenarios } from "./scenarios/index.js";
import { isBad, runChaos } from "./suite.js";

const help = `npm run chaos -- [--minutes M] [--seed S] [--scenario NAME ...] [--null-rounds] [--strict] [--json] [--list]

  --minutes M        how long faults are injected (1)
  --seed S           the same seed picks the same faults in the same order; when each strikes depends on the machine
  --scenario NAME    only these, again and again
  --null-rounds      on Filecoin's chain, which has no block at one number in ten; without scenarios whose lies only a
                     block's own proof finds out, which that chain does not have
  --strict           a bound of a recovery (p99) that is passed fails the run
  --json             the account as JSON instead of the report
  --list             the scenarios, and ends

Every other minute one scenario runs at a time, so that its recovery can be measured; in between three run
at once. After each minute everything is healed, comes to rest and is compared.

Exit code 1 if a block was lost, doubled or wrong, or a promise was broken: no recovery within 30 seconds, a
daemon that ended by itself, neighbours that do not link, rows without their completed job. A recovery that is
slower than its bound is printed, and fails the run only with --strict: on a busy machine it says little.
`;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    seed: { type: "string" },
    scenario: { type: "string", multiple: true },
    "null-rounds": { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
if (values.list) {
  process.stdout.write(scenarios.map(({ name, about }) => `${name.padEnd(20)} ${about}\n`).join(""));
  process.exit(0);
}
const minutes = Number(values.minutes);
if (!(minutes > 0)) fail("--minutes: expected a number above 0");
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
if (!Number.isSafeInteger(seed)) fail("--seed: expected a whole number");
const chosen = (values.scenario ?? scenarios.map(({ name }) => name)).map((name) => {
  const found = scenarios.find((scenario) => scenario.name === name);
  return found ?? fail(`no scenario ${name}; there are: ${scenarios.map((each) => each.name).join(", ")}`);
});

const started = performance.now();
const say = (line: string): void => {
  process.stderr.write(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);
};
const removeBinaries = await sharePostgresBinaries();
try {
  const outcome = await runChaos({
    seed,
    minutes,
    scenarios: chosen,
    nullRounds: values["null-rounds"],
    say,
  });
  const rows = recoveryRows(outcome, chosen);
  const missed = missedBounds(rows);
  const { verdict, tally } = outcome;
  const passed = !isBad(verdict) && tally.broken.length === 0 && (missed.length === 0 || !values.strict);
  if (values.json) {
    const { recoveries: _, faults, notes, broken } = tally;
    const account = {
      seed,
      minutes,
      passed,
      ...outcome,
      tally: undefined,
      faults: Object.fromEntries(faults),
      notes: Object.fromEntries(notes),
      broken,
      recoveries: rows,
      missed,
    };
    process.stdout.write(`${JSON.stringify(account, null, 2)}\n`);
  } else {
    process.stdout.write(`${renderReport(outcome, chosen)}\n`);
    for (const line of missed) process.stdout.write(`bound passed: ${line}\n`);
    process.stdout.write(
      `\nnpm run chaos -- --minutes ${minutes} --seed ${seed}${values["null-rounds"] ? " --null-rounds" : ""}: ${passed ? "passed" : "FAILED"}\n`,
    );
  }
  process.exitCode = passed ? 0 : 1;
} finally {
  await removeBinaries();
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
