import { count, plural, span } from "../wording.js";
import type { BlockState } from "./why-block.js";

/** A block's state in sentences: what it is, and what to do. */
export function tellWhy(block: number, is: BlockState): string {
  const again = `blockmill retry ${block}`;
  switch (is.state) {
    case "stored":
    case "archived":
      return `${storedText(is)} ${proofText(is.verified)}`;
    case "absent":
      return `the chain has no block at this number, as the parent of the next one proves. Nothing is to be done.${is.archived ? " Its job is archived." : ""}`;
    case "rows missing":
      return `recorded as stored, but its rows are gone: somebody removed them by hand. Fetch it again: blockmill verify ${block} --repair`;
    case "rows without a job":
      return `stored, though no job tells of it: somebody deleted the job, or copied the rows. ${proofText(is.verified)} Prove it: blockmill verify ${block}`;
    case "not asked for":
      return `nobody asked for it${is.head === null ? ", and no head was seen yet" : ""}. Fetch it: blockmill enqueue ${block}`;
    case "beyond the head":
      return `the chain is at ${count(is.head)}: it is not there yet. ${is.follows ? "It is fetched by itself when the head gets there." : `The head is not followed (pipeline.auto_enqueue): blockmill enqueue ${block} has it fetched when it is there.`}`;
    case "waits for the head":
      return `its job waits until the chain, which is at ${count(is.head)}, gets there. No attempt is lost. Not wanted: blockmill cancel ${block}`;
    case "in a range":
      return `range ${is.range} will make a job of it: ${is.before === 0 ? "it is next" : `${plural(is.before, "block")} of the range come before it, from ${is.next} on`}. Sooner: blockmill enqueue ${block} --priority 10`;
    case "paused":
      return `it may be claimed, but work is paused for ${span(is.seconds)}${is.by === null ? "" : ` by ${is.by}`}${is.reason === null ? "" : ` (${is.reason})`}. Go on: blockmill resume`;
    case "held by a lock":
      return `claims pass over it, since somebody has locked it: ${is.holder}`;
    case "no worker":
      return "it may be claimed, but no worker lives. Start one: systemctl start blockmill@NAME, or blockmill start";
    case "endpoints down":
      return `it may be claimed, but no endpoint answers: ${is.reason}. It goes on by itself; blockmill start --check asks each one`;
    case "waiting":
      return waitingText(block, is);
    case "parked":
      return `somebody parked it (run_at is infinity): it waits until it gets another time: UPDATE processing_jobs SET run_at = now() WHERE block_number = ${block}`;
    case "orphaned":
      return `a reorg dropped it: it is fetched when the new branch gets there${is.error === null ? "" : ` (${is.error})`}. Nothing is to be done.`;
    case "delayed":
      return `it was put off: it may be claimed in ${span(is.inSeconds)}. Now: UPDATE processing_jobs SET run_at = now() WHERE block_number = ${block}`;
    case "retrying":
      return `attempt ${is.attempts} failed${is.endpoint === null ? "" : ` at ${is.endpoint}`}: ${is.error}. It is tried again in ${span(is.inSeconds)}.`;
    case "not there yet":
      return `no endpoint could give it so far (${plural(is.absences, "look")}): ${is.error ?? "no reason was told"}. It is looked for again in ${span(is.inSeconds)}; no attempt is lost. Far below the head: add an endpoint that keeps history.`;
    case "claimed":
      return `${is.worker}${is.hostname === null ? "" : ` on ${is.hostname}`} has it for ${span(is.seconds)}${is.stage === null ? "" : ` in stage ${is.stage}`} (attempt ${is.attempt}; the worker is ${is.workerState}${is.reason === null ? "" : `: ${is.reason}`}). Taken away from it: blockmill cancel ${block} && ${again}`;
    case "claimed by a lost host":
      return `${is.worker} claimed it ${span(is.seconds)} ago, and its host is lost. Another daemon takes it back within seconds; without one: blockmill cleanup`;
    case "failed":
      return `it failed for good after ${plural(is.attempts, "attempt")}${is.deaths > 0 ? ` and ${plural(is.deaths, "death")} of workers` : ""}${is.endpoint === null ? "" : `, last at ${is.endpoint}`}: ${is.error ?? "no reason was told"}. Once the cause is gone: ${again}`;
    case "cancelled":
      return `somebody cancelled it. Fetch it after all: ${again}`;
  }
}

function storedText(is: Extract<BlockState, { state: "stored" | "archived" }>): string {
  const { completedAt, claimedForMs, worker, result } = is;
  const took = claimedForMs === null ? "" : ` in ${span(claimedForMs / 1_000)}`;
  const at =
    completedAt === null ? "" : ` at ${completedAt.toISOString().replace("T", " ").slice(0, 19)} UTC`;
  const by = worker === null ? "" : ` by ${worker}`;
  const from = result?.endpoint === undefined ? "" : `, from ${result.endpoint}`;
  const archived = is.state === "archived" ? " Its job is archived." : "";
  return `stored${took}${at}${by}${from}.${archived}`;
}

function proofText(verified: readonly string[]): string {
  return verified.length === 0
    ? "Nothing of it was proven (chain.verify)."
    : `Proven: ${verified.join(", ")}.`;
}

function waitingText(
  block: number,
  { ahead, aheadIsAtLeast, seconds, priority }: Extract<BlockState, { state: "waiting" }>,
): string {
  const since = seconds === null ? "" : ` for ${span(Math.max(0, seconds))}`;
  if (ahead === 0) return `it is the next to be claimed, and waits${since} for a worker that is free.`;
  return `it waits${since} behind ${aheadIsAtLeast ? "at least " : ""}${plural(ahead, "job")} (priority ${priority}). Sooner: UPDATE processing_jobs SET priority = ${priority + 10} WHERE block_number = ${block}`;
}
