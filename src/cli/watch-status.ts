import { setTimeout as sleep } from "node:timers/promises";
import { describeError, dispositionOf } from "../errors.js";
import { withLinkedSignal } from "../linked-signal.js";
import type { Status } from "../status/read-status.js";
import { sentenceOf } from "../status/sentence.js";
import { wholeSpan, wrap } from "../wording.js";
import { createFullScreen } from "./full-screen.js";
import { formatStatus } from "./status-report.js";
import { createPaint } from "./terminal.js";

export interface WatchStatusOptions {
  /** Reads the status, without secrets. */
  read(): Promise<Status>;
  /** Of an error; without secrets. */
  redact(text: string): string;
  everyMs: number;
  /** JSON, a line each time; else a screen on a terminal, and a sentence a line elsewhere. */
  json: boolean;
  signal: AbortSignal;
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
}

/**
 * Shows the status again and again until `signal` aborts, or the person at the terminal quits. A database that is away is
 * waited for, and what is shown then says how old it is; at the first look it is thrown.
 */
export async function watchStatus(options: WatchStatusOptions): Promise<void> {
  const { read, everyMs, signal, json, output } = options;
  const quit = new AbortController();
  const first = await read();
  await withLinkedSignal([signal, quit.signal], async (over) => {
    const view = json ? jsonLines(output) : output.isTTY ? screen(options, quit) : sentences(output);
    // Whoever reads the lines has gone.
    output.once("error", () => quit.abort());
    over.addEventListener("abort", () => view.end(), { once: true });
    try {
      view.show(first);
      while (await isDue(everyMs, over)) {
        try {
          view.show(await read());
        } catch (error) {
          if (dispositionOf(error) !== "wait") throw error;
          view.miss(options.redact(describeError(error)));
        }
      }
    } finally {
      view.end();
    }
  });
}

/** Waits; whether it was not interrupted. */
async function isDue(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}

interface View {
  show(status: Status): void;
  /** It could not be read this time. */
  miss(why: string): void;
  end(): void;
}

function screen({ everyMs, input, output }: WatchStatusOptions, quit: AbortController): View {
  const paint = createPaint(output);
  const display = createFullScreen({ input, output, onQuit: () => quit.abort() });
  const footer = (): string => paint("dim", `every ${everyMs / 1_000} s · q quits · ${timeOf(new Date())}`);
  let lines: string[] = [];
  let readAt = performance.now();
  return {
    show(status) {
      lines = formatStatus(status, paint).split("\n");
      readAt = performance.now();
      display.draw(lines, footer());
    },
    miss(why) {
      const age = wholeSpan((performance.now() - readAt) / 1_000);
      const warning = wrap(
        `The state cannot be read: ${why}. What stands below is ${age} old.`,
        output.columns || 80,
      );
      display.draw([...warning.map((line) => paint("red", line)), "", ...lines], footer());
    },
    end: display.end,
  };
}

function sentences(output: NodeJS.WriteStream): View {
  const write = (text: string): void => void output.write(`${timeOf(new Date())} ${text}\n`);
  return {
    show: (status) => write(sentenceOf(status).text),
    miss: (why) => write(`The state cannot be read: ${why}.`),
    end: () => {},
  };
}

function jsonLines(output: NodeJS.WriteStream): View {
  return {
    show: (status) => void output.write(`${JSON.stringify(status)}\n`),
    miss: (why) => void output.write(`${JSON.stringify({ error: why })}\n`),
    end: () => {},
  };
}

/** Of the day, by the host's clock: 16:02:09. */
function timeOf(date: Date): string {
  return date.toTimeString().slice(0, 8);
}
