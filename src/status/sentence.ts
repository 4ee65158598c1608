import type { AlertKind, OpenAlert } from "../queue/alerts.js";
import { count, plural, rate, wholeSpan } from "../wording.js";
import type { Status } from "./read-status.js";

/** How things stand, in a word: the first of the sentence. */
export type Standing =
  | "following"
  | "working"
  | "waiting"
  | "paused"
  | "failing"
  | "stalled"
  | "leaderless"
  | "stopped";

export interface Sentence {
  /** `critical`: something does not work. `warning`: somebody has to see to something. */
  level: "well" | "warning" | "critical";
  standing: Standing;
  /** In some words, then in whole sentences. */
  text: string;
}

/** Alerts that mean that nothing gets on, and what may be said of it; the first that is open is the reason. */
const stalls: readonly { kind: AlertKind; after?: string }[] = [
  { kind: "no_workers" },
  { kind: "endpoints_down", after: "Nothing is lost; work resumes by itself." },
  { kind: "no_progress" },
  { kind: "head_stalled" },
];
/** Alerts that say why: they go before one that only says that nothing was stored. */
const reasons: readonly string[] = [
  "lock_wait",
  "other_chain",
  "head_failures",
  "endpoint_lies",
] satisfies AlertKind[];

/** What a person is to know first: what is wrong, or that all is well and how that shows. */
export function sentenceOf(status: Status): Sentence {
  const { leader, workers, pause, alerts } = status;
  const errors = alerts.filter(({ priority }) => priority === "err");
  const [error] = errors;
  const [warning] = alerts.filter(({ priority }) => priority !== "err");
  const others = (shown: number): string => {
    const more = alerts.length - shown;
    return more > 0 ? ` And ${plural(more, "more alert")}.` : "";
  };
  const critical = (standing: Standing, text: string): Sentence => ({ level: "critical", standing, text });
  if (!workers.some(({ lives }) => lives))
    return critical("stopped", "Nothing runs: no daemon works on this schema.");
  const stall = stallOf(errors);
  if (stall !== null) return critical("stalled", `${stall.text}${others(stall.alerts)}`);
  if (error !== undefined)
    return critical("failing", `${firstSentence(error.message)} ${workOf(status).text}${others(1)}`);
  if (leader === null)
    return critical("leaderless", "No daemon leads: the head is not followed, and nobody judges alerts.");
  if (pause !== null) {
    const reason = pause.reason === null ? "" : ` (${pause.reason})`;
    const text = `Paused${reason}: nothing is claimed.${others(0)}`;
    return { level: "warning", standing: "paused", text };
  }
  const { standing, text } = workOf(status);
  if (warning !== undefined)
    return { level: "warning", standing, text: `${text} ${firstSentence(warning.message)}${others(1)}` };
  return { level: "well", standing, text: `${text} ${failuresOf(status)}` };
}

/** Since when nothing gets on, and why; `alerts`: so many are told by it. */
function stallOf(errors: readonly OpenAlert[]): { text: string; alerts: number } | null {
  const open = stalls.flatMap(({ kind, after = "" }) => {
    const alert = errors.find((each) => each.kind === kind);
    return alert === undefined ? [] : [{ ...alert, after }];
  });
  const [first] = open;
  if (first === undefined) return null;
  const seconds = Math.max(...open.map(({ ageSeconds }) => ageSeconds));
  const why = first.kind === "no_progress" ? errors.find(({ kind }) => reasons.includes(kind)) : undefined;
  const reason = uncapitalized(firstSentence((why ?? first).message));
  const text = `Stalled for ${wholeSpan(seconds)}: ${reason}${first.after === "" ? "" : ` ${first.after}`}`;
  return { text, alerts: open.length + (why === undefined ? 0 : 1) };
}

function workOf(status: Status): { standing: Standing; text: string } {
  const { head, lagBlocks, lagIsAtLeast, lagSeconds, jobs, ranges, blocksPerSecond } = status;
  const queued = jobs.pending.count + jobs.processing.count;
  if (ranges.total.count > 0 || queued > 100) {
    const atLeast = jobs.pending.atLeast ? "at least " : "";
    const open = ranges.total.count > 0 ? ", a range is open" : "";
    const text = `Working. ${atLeast}${plural(queued, "job")} in the queue${open}, ${rate(blocksPerSecond)} blocks/s.`;
    return { standing: "working", text };
  }
  if (head === null) return { standing: "waiting", text: "Waiting. No head was seen yet." };
  const behind = `${lagIsAtLeast ? "at least " : ""}${plural(lagBlocks ?? 0, "block")} behind`;
  const late = lagSeconds === null ? "" : `, ${wholeSpan(lagSeconds)}`;
  return { standing: "following", text: `Following. ${capitalized(behind)}${late}.` };
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

function capitalized(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** But for a name such as PostgreSQL. */
function uncapitalized(text: string): string {
  return /^[A-Z][a-z]*\b/.test(text) ? `${text.slice(0, 1).toLowerCase()}${text.slice(1)}` : text;
}
