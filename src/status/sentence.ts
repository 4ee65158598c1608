import { count, plural } from "../wording.js";
import type { Status } from "./read-status.js";

export interface Sentence {
  /** `critical`: something does not work. `warning`: somebody has to see to something. */
  level: "well" | "warning" | "critical";
  /** In some words, then in whole sentences. */
  text: string;
}

/** What a person is to know first: what is wrong, or that all is well and how that shows. */
export function sentenceOf(status: Status): Sentence {
  const { leader, workers, pause, alerts } = status;
  const errors = alerts.filter(({ priority }) => priority === "err");
  const warnings = alerts.filter(({ priority }) => priority !== "err");
  const others = (shown: number): string => {
    const more = alerts.length - shown;
    return more > 0 ? ` And ${plural(more, "more alert")}.` : "";
  };
  if (!workers.some(({ lives }) => lives))
    return { level: "critical", text: "Nothing runs: no daemon works on this schema." };
  const [error] = errors;
  if (error !== undefined) return { level: "critical", text: `${firstSentence(error.message)}${others(1)}` };
  if (leader === null)
    return {
      level: "critical",
      text: "No daemon leads: the head is not followed, and nobody judges alerts.",
    };
  if (pause !== null) {
    const reason = pause.reason === null ? "" : ` (${pause.reason})`;
    return { level: "warning", text: `Paused${reason}: nothing is claimed.${others(0)}` };
  }
  const [warning] = warnings;
  if (warning !== undefined)
    return { level: "warning", text: `${workOf(status)} ${firstSentence(warning.message)}${others(1)}` };
  return { level: "well", text: `${workOf(status)} ${failuresOf(status)}` };
}

function workOf({ head, lagBlocks, lagIsAtLeast, jobs, ranges, blocksPerSecond }: Status): string {
  const queued = jobs.pending.count + jobs.processing.count;
  if (ranges.total.count > 0 || queued > 100)
    return `Working: ${jobs.pending.atLeast ? "at least " : ""}${plural(queued, "job")} in the queue${ranges.total.count > 0 ? ", a range is open" : ""}, ${blocksPerSecond.toFixed(1)} blocks/s.`;
  if (head === null) return "Waiting: no head was seen yet.";
  if (lagBlocks === null || lagBlocks === 0)
    return `Following: none behind, head ${count(head.headNumber)} is ${Math.round(head.headAgeSeconds)} s old.`;
  return `Following: ${lagIsAtLeast ? "at least " : ""}${plural(lagBlocks, "block")} behind.`;
}

function failuresOf({ jobs: { failed } }: Status): string {
  if (failed.count === 0) return "Nothing failed.";
  return `${failed.atLeast ? "At least " : ""}${count(failed.count)} failed.`;
}

/** What an alert says before it says what to do. */
export function firstSentence(message: string): string {
  const [first = message] = message.split(/(?<=[.!])\s+(?=[A-Z])/);
  return first.endsWith(".") ? first : `${first}.`;
}
