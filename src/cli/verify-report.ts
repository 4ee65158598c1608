import type { BlockSpan } from "../block.js";
import { mergeSpans } from "../pipeline/merge-spans.js";
import { asQueueSays, type Finding, type ProvenBatch } from "../pipeline/prove-stored.js";
import type { VerifyPlan } from "../pipeline/verify-stored.js";
import { count, plural, rate, shorten, span as timeSpan } from "../wording.js";
import { exitCodes } from "./exit-codes.js";

/** What people are shown; --json has it all. */
const linesShown = 100;
const linesPerBlock = 4;
const valueLength = 100;

interface End extends Pick<VerifyPlan, "span" | "strays"> {
  requeued: number;
  interrupted: boolean;
  ms: number;
}

/** Prints findings as they come, and counts. */
export function createReport({ json, repair }: { json: boolean; repair: boolean }) {
  let blocks = 0;
  let wrong = 0;
  let unproven = 0;
  /** What does not hold of the unproven ones. */
  const withoutProof = new Set<string>();
  let missing = 0;
  let orphaned = 0;
  let lines = 0;
  let hidden = 0;

  const print = (finding: Finding, place: number): void => {
    if (json) process.stdout.write(`${JSON.stringify(jsonOf(finding))}\n`);
    // There may be a whole chain of them: the summary says how many.
    else if (finding.kind === "unproven") return;
    else if (lines < linesShown && place < linesPerBlock) {
      process.stdout.write(`${describe(finding)}\n`);
      lines += 1;
    } else hidden += 1;
  };

  return {
    /** Blocks with something wrong, and missing ones, so far. */
    wrong: () => wrong + missing + orphaned,
    add(batch: ProvenBatch): void {
      blocks += batch.blocks;
      let place = 0;
      for (const [index, finding] of batch.findings.entries()) {
        place = batch.findings[index - 1]?.from === finding.from ? place + 1 : 0;
        print(finding, place);
      }
      const ofKind = (...kinds: Finding["kind"][]) =>
        mergeSpans(batch.findings.filter(({ kind }) => kinds.includes(kind)));
      const lost = length(ofKind("missing"));
      missing += lost;
      wrong += length(ofKind("wrong"));
      for (const { kind, from, to, expected } of batch.findings) {
        if (kind !== "unproven") continue;
        unproven += to - from + 1;
        for (const check of expected.split(", ")) withoutProof.add(check);
      }
      // Where the queue does not miss the block.
      orphaned += length(ofKind("missing", "orphan")) - lost;
    },
    /** Prints the summary, and returns the exit code. */
    end({ span, strays, requeued, interrupted, ms }: End): number {
      const seconds = ms / 1_000;
      const proven = blocks - wrong - unproven;
      const bad = wrong + missing + orphaned;
      if (json) {
        const summary = {
          proven,
          unproven,
          wrong,
          missing,
          orphaned,
          strays,
          requeued,
          interrupted,
          seconds,
          blocksPerSecond: blocks / seconds,
        };
        process.stdout.write(`${JSON.stringify({ summary: { ...span, ...summary } })}\n`);
      } else {
        const text = [
          ...(hidden > 0 ? [`and ${plural(hidden, "line")} more: see --json`] : []),
          ...strays.map(
            ({ table, rows }) => `${table}: ${plural(rows, "row")} with a number that no block has`,
          ),
          span === null
            ? "Nothing is stored."
            : `${plural(proven, "block")} proven, ${unproven > 0 ? `${count(unproven)} unproven, ` : ""}${count(wrong)} wrong, ${count(missing)} missing, in ${timeSpan(seconds)}, ${rate(blocks / seconds)} blocks/s.`,
          ...(unproven > 0
            ? [
                `Unproven: what is stored is what was written, and neither chain.verify nor the chain's rules demand more; not proven of them: ${[...withoutProof].join(", ")}.`,
              ]
            : []),
          ...(orphaned > 0 ? [`There are rows of ${plural(orphaned, "block")} that are not stored.`] : []),
          ...(interrupted ? ["Interrupted: not everything was looked at."] : []),
          ...(bad > 0 ? [advice({ repair, requeued })] : []),
        ];
        process.stdout.write(`${text.join("\n")}\n`);
      }
      if (bad + strays.length > 0) return exitCodes.blocksFailed;
      return interrupted ? exitCodes.interrupted : exitCodes.done;
    },
  };
}

function advice({ repair, requeued }: { repair: boolean; requeued: number }): string {
  if (!repair) return "Fetch them again: the same command with --repair";
  const removed = "Rows without a block were removed.";
  if (requeued === 0) return removed;
  return `${plural(requeued, "block")} enqueued again: a running daemon takes them at once; without one: blockmill start. Then verify once more.`;
}

function length(spans: readonly BlockSpan[]): number {
  return spans.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

function jsonOf({ from, to, ...rest }: Finding): object {
  return { block: from, ...(to !== from && { to }), ...rest };
}

function describe({ kind, from, to, table, field, expected, actual }: Finding): string {
  const where = from === to ? `block ${from}` : `blocks ${from} to ${to}`;
  if (kind === "missing") {
    return `${where}: ${expected === asQueueSays ? "missing, though the queue says stored" : "missing"}`;
  }
  if (kind === "orphan") return `${where}: ${table}: ${actual}`;
  if (field === "digest") return `${where}: digest: its rows are not those that were written`;
  return `${where}: ${field} (${table}): expected ${shorten(expected, valueLength)}, got ${shorten(actual, valueLength)}`;
}
