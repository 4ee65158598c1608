import { inspect } from "node:util";
import type { Redact } from "./redact.js";

export interface PrettyOptions {
  /** Its lines go to a terminal: each begins by erasing what stands on its line, such as a progress bar. */
  terminal: boolean;
  colours: boolean;
}

type Colour = "red" | "yellow" | "green" | "dim";

// From fatal down: https://github.com/trentm/node-bunyan#levels
const levels: [least: number, name: string, colour: Colour][] = [
  [60, "FATAL", "red"],
  [50, "ERROR", "red"],
  [40, "WARN", "yellow"],
  [30, "info", "green"],
  [20, "debug", "dim"],
  [0, "trace", "dim"],
];

/** Those that stand elsewhere in the line, or say nothing to a person. */
const ownFields = new Set("name hostname pid v time level component msg err worker supervisor".split(" "));
const longestValue = 300;
/** To the start of the line, and erase it. */
const eraseLine = "\r\u001b[K";

/**
 * A JSON line of our log as one line for people: `12:15:03 WARN  worker 3      block 7: ... (attempt 1)`. Every text in
 * it passes `redact` once more, since it is decoded here. What is no record is a line as it is.
 */
export function prettyLine(
  line: string,
  { terminal, colours, redact }: PrettyOptions & { redact: Redact },
): string {
  const paint = (colour: Colour, text: string): string => {
    const [on, off] = inspect.colors[colour] ?? [0, 0];
    return colours ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
  const say = (text: string): string => redact(text).replace(/\s+/g, " ").trim();
  const start = terminal ? eraseLine : "";
  const record = parse(line);
  if (record === undefined) return `${start}${say(line)}\n`;
  const [, level, colour] = levels.find(([least]) => Number(record.level) >= least) ?? [0, "trace", "dim"];
  const fields = say(fieldsOf(record).join(", "));
  const parts = [
    paint("dim", clock(record.time)),
    paint(colour, level.padEnd(5)),
    paint("dim", say(processOf(record)).padEnd(12)),
    say(messageOf(record)),
    ...(fields === "" ? [] : [paint("dim", `(${fields})`)]),
  ];
  return `${start}${parts.join(" ")}\n`;
}

type LogRecord = Record<string, unknown>;

function parse(line: string): LogRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && "msg" in value ? (value as LogRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** The time of day where the reader is. */
function clock(time: unknown): string {
  const at = new Date(String(time));
  if (Number.isNaN(at.getTime())) return "--:--:--";
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

/** Who says it: `supervisor`, `orchestrator`, `worker 3`. */
function processOf({ component, worker }: LogRecord): string {
  return component === "worker" ? shortId(worker) : String(component);
}

/** `worker 3` of SUPERVISOR/w3. */
function shortId(id: unknown): string {
  const number = /\/w(\d+)$/.exec(String(id))?.[1];
  return number === undefined ? String(id).replace(/^.*\//, "") : `worker ${number}`;
}

/** The message, and what its error says beyond that. */
function messageOf({ msg, err }: LogRecord): string {
  const said = String(msg);
  const error = typeof err === "object" && err !== null && "message" in err ? String(err.message) : "";
  if (error === "" || said.includes(error)) return said;
  return said === "" ? error : `${said}: ${error}`;
}

function fieldsOf(record: LogRecord): string[] {
  const { component, worker } = record;
  // What others say of a worker tells which one.
  const isAbout = worker !== undefined && component === "supervisor";
  const others = Object.entries(record).filter(([name]) => !ownFields.has(name));
  return [...(isAbout ? [shortId(worker)] : []), ...others.map(([name, value]) => `${name} ${show(value)}`)];
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text;
}
