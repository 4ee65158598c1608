// A run: chaos for a while, then peace, then the account; again and again until the time is over.

import { setTimeout as sleep } from "node:timers/promises";
import { Random } from "../../bench/fixture-node/random.js";
import type { Finding } from "./history.js";
import { Ledger, type Verdict } from "./ledger.js";
import type { Resource, Scenario } from "./scenario.js";
import type { Tally } from "./tally.js";
import { type Watch, watchInvariants } from "./watch.js";
import { World } from "./world.js";

export interface RunOptions {
  seed: number;
  minutes: number;
  scenarios: readonly Scenario[];
  /** WorldOptions.nullRounds */
  nullRounds?: boolean;
  say(line: string): void;
}

export interface Outcome {
  tally: Tally;
  verdict: Verdict;
  /** Of all accounts together. */
  moments: Finding[];
  counts: { claims: number; completions: number; stored: number; removed: number };
  looks: number;
  longestDeadClaimMs: number;
  restMs: number[];
  skipped: { name: string; reason: string }[];
  seconds: number;
}

/** Between two accounts. */
const epochMs = 60_000;
/** How many scenarios run at once when they are mixed. */
const lanesWhenMixed = 3;
/** Older blocks that are asked for, per minute: in bursts, so that the daemons are busy and idle in turn. */
const historyPerMinute = 2_000;
/** There are so many times as many: scenarios ask for some beside that. */
const supply = 1.5;
/** At rest everything must be stored; it is late after the first, and lost after the second. */
const restLateMs = 30_000;
const restLimitMs = 120_000;

export async function runChaos({
  seed,
  minutes,
  scenarios,
  nullRounds = false,
  say,
}: RunOptions): Promise<Outcome> {
  const started = performance.now();
  const history = Math.ceil(historyPerMinute * supply * Math.max(1, minutes));
  say(`seed ${seed}: a server, a node with ${history} old blocks, and a daemon`);
  const world = await World.create({
    seed,
    history,
    historyPerSecond: historyPerMinute / 60,
    nullRounds,
    say,
  });
  const skipped: Outcome["skipped"] = [];
  const chosen = scenarios.filter((scenario) => {
    const reason = scenario.unable?.(world);
    if (reason !== undefined) skipped.push({ name: scenario.name, reason });
    return reason === undefined;
  });
  for (const { name, reason } of skipped) say(`not run: ${name} (${reason})`);
  const ledger = new Ledger(world);
  const watch = watchInvariants(world);
  const restMs: number[] = [];
  const moments: Finding[] = [];
  try {
    await world.startMain();
    const random = new Random(`plan-${seed}`);
    const end = performance.now() + minutes * 60_000;
    for (let epoch = 0; performance.now() < end && chosen.length > 0; epoch += 1) {
      world.load.start();
      const until = Math.min(end, performance.now() + epochMs);
      // Alone is when a bound can be measured; mixed is when things go wrong.
      await playEpoch(world, { chosen, random, until, lanes: epoch % 2 === 0 ? 1 : lanesWhenMixed });
      restMs.push(await comeToRest(world, ledger));
      const verdict = await ledger.check(world.load.asked, { isFull: false });
      moments.push(...verdict.moments);
      say(progressLine(world, verdict, restMs.at(-1) ?? 0));
      if (isBad(verdict)) break;
    }
    await world.host.stop();
    const verdict = await ledger.check(world.load.asked, { isFull: true });
    return {
      tally: world.tally,
      verdict,
      moments: [...moments, ...verdict.moments],
      counts: ledger.history.counts,
      looks: watch.looks,
      longestDeadClaimMs: watch.longestDeadClaimMs,
      restMs,
      skipped,
      seconds: (performance.now() - started) / 1_000,
    };
  } finally {
    await watch.stop();
    await world.close();
  }
}

/** Stops the load, heals everything, and waits until all that was asked for is done. Returns how long that took. */
export async function comeToRest(world: World, ledger: Ledger): Promise<number> {
  const began = performance.now();
  await world.load.stop();
  await world.heal();
  await world.host.running();
  await world.load.mineAbove();
  const missing = await ledger.rest(world.load.asked, restLimitMs);
  const ms = performance.now() - began;
  if (missing !== "") world.tally.brokenBy(`not at rest after ${Math.round(ms / 1_000)} s: ${missing}`);
  else if (ms > restLateMs) world.tally.brokenBy(`it took ${Math.round(ms / 1_000)} s to come to rest`);
  return ms;
}

interface Epoch {
  chosen: readonly Scenario[];
  random: Random;
  until: number;
  lanes: number;
}

async function playEpoch(world: World, { chosen, random, until, lanes }: Epoch): Promise<void> {
  const taken = new Set<Resource>();
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      const free = chosen.filter(({ takes }) => !takes.some((resource) => taken.has(resource)));
      const scenario = pickByWeight(free, random);
      if (scenario !== undefined) {
        for (const resource of scenario.takes) taken.add(resource);
        await play(world, scenario, new Random(`${scenario.name}-${random.uint32()}`));
        for (const resource of scenario.takes) taken.delete(resource);
      }
      await sleep(50 + random.below(400));
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** Injects one scenario's fault; what it throws is the suite's own failure, and fails the run. */
export async function play(world: World, scenario: Scenario, random: Random): Promise<void> {
  world.tally.underWay += 1;
  try {
    await scenario.inject(world, random);
  } catch (error) {
    const where = error instanceof Error ? (error.stack ?? error.message) : String(error);
    world.tally.brokenBy(
      `${scenario.name} could not be played: ${where.split("\n").slice(0, 3).join(" | ")}`,
    );
  } finally {
    world.tally.underWay -= 1;
  }
}

function pickByWeight(scenarios: readonly Scenario[], random: Random): Scenario | undefined {
  let left = random.fraction() * scenarios.reduce((sum, { weight }) => sum + weight, 0);
  return scenarios.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

export function isBad({ lost, doubled, wrong }: Verdict): boolean {
  return lost.length + doubled.length + wrong.length > 0;
}

function progressLine({ tally }: World, verdict: Verdict, restMs: number): string {
  const { blocks, lost, doubled, wrong } = verdict;
  return (
    `${blocks} blocks, ${tally.faultCount} faults; lost ${lost.length}, doubled ${doubled.length}, ` +
    `wrong ${wrong.length}; broken promises ${tally.broken.length}; at rest in ${(restMs / 1_000).toFixed(1)} s`
  );
}

export type { Watch };
