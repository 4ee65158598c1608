import { span } from "../wording.js";
import { createBar } from "./bar.js";

export interface IndexReport {
  /** What is built now, such as `logs_topic0, logs_500000`. */
  what: string;
  /** What is done there: PostgreSQL's phase, or whom it waits for. */
  phase: string;
  /** Of everything, from 0 to 1. */
  done: number;
  /** Null: nobody can tell yet. */
  secondsLeft: number | null;
}

export interface IndexDisplay {
  show(report: IndexReport): void;
  end(): void;
}

const lineEveryMs = 5_000;

/** A bar on a terminal; elsewhere a line now and then. */
export function showIndexProgress(stream: NodeJS.WriteStream): IndexDisplay {
  return stream.isTTY ? showBar(stream) : showLines(stream);
}

function showBar(stream: NodeJS.WriteStream): IndexDisplay {
  const bar = createBar(stream);
  return {
    show({ what, phase, done, secondsLeft }) {
      const left = secondsLeft === null ? "?" : span(secondsLeft);
      bar.draw(done, `${percent(done)} · ${what} · ${phase} · ETA ${left}`);
    },
    end: bar.end,
  };
}

function showLines(stream: NodeJS.WritableStream): IndexDisplay {
  let lineAt = Number.NEGATIVE_INFINITY;
  let last = "";
  return {
    show({ what, phase, done, secondsLeft }) {
      // What is built next, and whom it waits for, is told at once; how far it is, now and then.
      const news = phase.startsWith("wait") ? `${what} ${phase}` : what;
      if (news === last && performance.now() - lineAt < lineEveryMs) return;
      const left = secondsLeft === null ? "" : `, ${span(secondsLeft)} left`;
      stream.write(`${what}: ${phase} (${percent(done)} of all${left})\n`);
      lineAt = performance.now();
      last = news;
    },
    end() {},
  };
}

/** Rounded down: 100 % only when all is done. */
function percent(done: number): string {
  return `${Math.floor(done * 100)} %`;
}
