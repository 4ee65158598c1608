import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { countInHand, pauseWork, resumeWork } from "../queue/pause.js";
import { plural } from "../wording.js";
import { exitCodes } from "./exit-codes.js";
import { run } from "./run-command.js";
import { type Session, withDatabase } from "./session.js";

export function addPause(program: Command): void {
  program
    .command("pause")
    .description("let nobody claim a job of this schema, on any host, until `resume`")
    .option("-r, --reason <text>", "why, for the others: `blockmill status` shows it")
    .option("--wait", "return only when nothing is in hand any more")
    .addHelpText(
      "after",
      `
What is claimed is finished; nothing new is begun. Daemons stay up, the head is followed, and jobs may be
inserted: they wait. It holds for every daemon that shares the schema, also for one that starts later.

Examples:
  blockmill pause --reason "moving the database" --wait -c mainnet.json
  blockmill resume -c mainnet.json`,
    )
    .action(run(pause));
}

export function addResume(program: Command): void {
  program.command("resume").description("end a `pause`: every worker is woken at once").action(run(resume));
}

const lookMs = 50;

/** Claims that were being made at the pause take a moment, and most find nothing: they are waited for. */
const claimsMs = 1_000;

async function pause(
  session: Session,
  { reason, wait = false }: { reason?: string; wait?: boolean },
): Promise<number> {
  return withDatabase(session, async (pool) => {
    const isNew = await pauseWork(pool, reason ?? null);
    const pausedAt = performance.now();
    let { claims, jobs } = await countInHand(pool);
    while (wait ? claims + jobs > 0 : claims > 0 && performance.now() - pausedAt < claimsMs) {
      await sleep(lookMs);
      ({ claims, jobs } = await countInHand(pool));
    }
    const inHand = claims + jobs;
    const rest = inHand === 0 ? "Nothing is in hand." : `${plural(inHand, "job")} in hand will be finished.`;
    process.stdout.write(`${isNew ? "Paused." : "It was paused already."} ${rest}\n`);
    return exitCodes.done;
  });
}

async function resume(session: Session): Promise<number> {
  const resumed = await withDatabase(session, resumeWork);
  process.stdout.write(resumed ? "Resumed.\n" : "It was not paused.\n");
  return exitCodes.done;
}
