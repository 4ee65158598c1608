// npm run bench [-- NAME ...] [--quick] [--json] [--repetitions N] [--minutes N] [--profile FOLDER] [--list]
//
// Measures blockmill against floors and peers, and prints one table. Each figure is compared with a
// floor or a peer that was measured in the same run: one after the other, then all of them again, three
// times; medians, with the lowest and the highest in brackets. It needs npm, and nothing else. Progress
// goes to standard error. A NAME chooses benchmarks whose name begins with it. --profile has Node write
// a CPU profile of each of blockmill's processes into that folder, which costs some speed.

import { parseArgs } from "node:util";
import { sharePostgresBinaries } from "../test/support/postgres-binaries.js";
import { createChains } from "./harness/chains.js";
import { describeMachine, isBusy } from "./harness/machine.js";
import { createPeers } from "./harness/peers.js";
import { renderTable } from "./harness/report.js";
import { startServer } from "./harness/server.js";
import type { Bench, Figure } from "./harness/suite.js";
import { suites } from "./suites/index.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    repetitions: { type: "string" },
    minutes: { type: "string" },
    profile: { type: "string" },
  },
});
const known = suites.flatMap(({ names }) => names);
const chosen = new Set(
  positionals.length === 0
    ? known
    : positionals.flatMap((asked) => {
        const found = known.includes(asked) ? [asked] : known.filter((name) => name.startsWith(asked));
        if (found.length === 0) fail(`no benchmark ${asked}; there are: ${known.join(", ")}`);
        return found;
      }),
);
if (values.list) {
  process.stdout.write(`${known.join("\n")}\n`);
  process.exit(0);
}

const started = performance.now();
const say = (line: string): void => {
  process.stderr.write(`${((performance.now() - started) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);
};
const { quick } = values;
const repetitions = Number(values.repetitions ?? (quick ? 1 : 3));
if (!Number.isInteger(repetitions) || repetitions < 1) fail("--repetitions: expected a number from 1 on");
const minutes = Number(values.minutes ?? (quick ? 0.5 : 10));
if (!(minutes > 0)) fail("--minutes: expected a number above 0");
if (isBusy()) say("the machine is busy with something else: what follows is no measurement to keep");

const releaseBinaries = await sharePostgresBinaries();
const server = await startServer();
const machine = describeMachine(server.description);
const peers = createPeers(say);
const chains = createChains({ quick, say });
const bench: Bench = { server, chains, peers, quick, repetitions, minutes, profile: values.profile, say };
const all: Figure[] = [];
try {
  for (const suite of suites) {
    const wanted = new Set(suite.names.filter((name) => chosen.has(name)));
    if (wanted.size === 0) continue;
    say([...wanted].join(", "));
    try {
      all.push(...(await suite.run(bench, wanted)));
    } catch (error) {
      say(`FAILED: ${error instanceof Error ? error.stack : String(error)}`);
      process.exitCode = 1;
    }
  }
} finally {
  await chains.stop();
  await server.stop();
  await releaseBinaries();
}

const lines = [
  ...machine,
  ...(peers.describe() === "" ? [] : [`Peers    ${peers.describe()}`]),
  `Run      ${repetitions} repetitions, interleaved; medians (lowest-highest)${quick ? "; QUICK: small and short, no figures to keep" : ""}`,
];
if (values.json)
  process.stdout.write(`${JSON.stringify({ machine: lines, quick, figures: all }, null, 2)}\n`);
else process.stdout.write(`${lines.join("\n")}\n${renderTable(all)}\n`);

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
