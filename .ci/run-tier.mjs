// node .ci/run-tier.mjs gate|full [PART ...]
//
// Runs the steps of a tier one after the other, or those whose name contains a PART, and says how many seconds
// each took, which were skipped and why. The gate stops at the first failure; the full tier goes on, to tell of
// all. When the whole gate has passed on a clean tree, the commit's hash is in ${TMPDIR:-/tmp}/blockmill-ci-passed.

import { execFileSync } from "node:child_process";
import { renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { whyMissing } from "./needs.mjs";
import { runStep } from "./run-step.mjs";
import { gateAimSeconds, gateSeconds, steps } from "./steps.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs steps in turn. `mostSeconds` bounds all of them together: the step that runs then is stopped.
 *
 * @returns {Promise<{ name: string, seconds: number, failure?: string, skipped?: string }[]>} of those that had their turn
 */
export async function runSteps(chosen, { cwd, mostSeconds, goesOn, why = whyMissing, say, signal }) {
  const started = performance.now();
  const past = () => (performance.now() - started) / 1_000;
  const outcomes = [];
  for (const step of chosen) {
    const skipped = (step.needs ?? []).map(why).find((reason) => reason !== undefined);
    if (skipped !== undefined) {
      say(`== ${step.name}: skipped, ${skipped}`);
      outcomes.push({ name: step.name, seconds: 0, skipped });
      continue;
    }
    const before = past();
    say(`== ${step.name} (from ${Math.round(before)} s on, at most ${step.seconds} s)`);
    const failure = await runStep({
      command: onNode(step),
      seconds: Math.min(step.seconds, mostSeconds - before),
      cwd,
      env: step.env,
      signal,
    });
    const seconds = past() - before;
    outcomes.push({ name: step.name, seconds, ...(failure !== undefined && { failure }) });
    if (failure === undefined) continue;
    say(`== ${step.name} FAILED after ${Math.round(seconds)} s: ${failure}`);
    if (!goesOn || step.basis || signal?.aborted) break;
  }
  return outcomes;
}

/** Through bin/with-node.mjs where a step asks for a Node of its own. */
function onNode({ node, command }) {
  return node === undefined ? command : ["node", "bin/with-node.mjs", node, ...command];
}

/** The outcomes as a table, one line a step. */
export function renderOutcomes(outcomes) {
  return outcomes.map(({ name, seconds, failure, skipped }) => {
    const took = skipped === undefined ? `${Math.round(seconds)} s` : "skipped";
    const reason = failure ?? skipped;
    return `${took.padStart(8)}  ${name}${failure === undefined ? "" : " FAILED"}${reason === undefined ? "" : `: ${reason}`}`;
  });
}

/** The commit that is checked out; undefined if files differ from it, or git cannot tell. */
export function cleanCommit(cwd) {
  const git = (...args) =>
    execFileSync("git", ["-c", `safe.directory=${path.resolve(cwd)}`, ...args], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  try {
    return git("status", "--porcelain") === "" ? git("rev-parse", "HEAD") : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the hash of a commit that has passed, in one go. Returns the file. */
export function notePassed(commit, folder = process.env.TMPDIR || "/tmp") {
  const file = path.join(folder, "blockmill-ci-passed");
  writeFileSync(`${file}.${process.pid}`, `${commit}\n`);
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

async function main([tier, ...parts]) {
  if (tier !== "gate" && tier !== "full") {
    console.error("usage: node .ci/run-tier.mjs gate|full [PART ...]");
    return 2;
  }
  const ofTier = steps.filter((step) => tier === "full" || step.tier === "gate");
  const chosen = ofTier.filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
  if (chosen.length === 0) {
    console.error(`no step of ${tier} matches ${parts.join(" ")}; there are:`);
    console.error(ofTier.map(({ name }) => `  ${name}`).join("\n"));
    return 2;
  }
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(name, () => interrupted.abort());
  const before = cleanCommit(root);
  const started = performance.now();
  const outcomes = await runSteps(chosen, {
    cwd: root,
    mostSeconds: tier === "gate" ? gateSeconds : Number.POSITIVE_INFINITY,
    goesOn: tier === "full",
    say: (line) => console.log(`\n${line}`),
    signal: interrupted.signal,
  });
  const total = Math.round((performance.now() - started) / 1_000);
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
  const passed = failed === 0 && outcomes.length === chosen.length;
  const skipped = outcomes.filter((outcome) => outcome.skipped !== undefined).length;
  const whole = skipped === 0 ? "" : `, ${skipped} of ${chosen.length} steps skipped`;
  console.log(`\n== ${tier}: ${passed ? "passed" : "FAILED"} in ${total} s${whole}`);
  for (const line of renderOutcomes(outcomes)) console.log(line);
  for (const { name } of chosen.slice(outcomes.length)) console.log(`   never  ${name}`);
  if (tier === "gate" && total > gateAimSeconds)
    console.log(`It took more than the ${gateAimSeconds} s that it aims at: look at its longest steps.`);
  if (tier === "gate" && passed) console.log(conclude({ before, outcomes, whole: parts.length === 0 }));
  return passed ? 0 : 1;
}

/** Notes that the commit has passed, or says why that is not noted. */
function conclude({ before, outcomes, whole }) {
  if (!whole) return "Not noted as passed: these were some of its steps.";
  if (outcomes.some(({ skipped }) => skipped !== undefined))
    return "Not noted as passed: steps were skipped.";
  if (before === undefined || cleanCommit(root) !== before)
    return "Not noted as passed: the tree is not a commit's, or changed meanwhile.";
  return `${notePassed(before)} says that ${before} has passed.`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  process.exitCode = await main(process.argv.slice(2));
}
