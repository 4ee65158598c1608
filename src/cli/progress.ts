import { count, plural, rate, span } from "../wording.js";
import { createBar } from "./bar.js";

export interface ProgressReport {
  /** Blocks that are through: stored, failed or cancelled. */
  done: number;
  perSecond: number;
  /** Null: nobody can tell yet. */
  secondsLeft: number | null;
  failed: number;
}

export interface ProgressDisplay {
  show(report: ProgressReport): void;
  end(): void;
}

const lineEveryMs = 5_000;

/** A bar on a terminal; elsewhere a line now and then. */
export function showProgress(
  stream: NodeJS.WriteStream,
  { label, total }: { label: string; total: number },
): ProgressDisplay {
  return stream.isTTY ? showBar(stream, total) : showLines(stream, { label, total });
}

function showBar(stream: NodeJS.WriteStream, total: number): ProgressDisplay {
  const bar = createBar(stream);
  return {
    show({ done, perSecond, secondsLeft, failed }) {
      const left = secondsLeft === null ? "?" : span(secondsLeft);
      bar.draw(
        done / total,
        `${percent(done, total)} · ${count(done)}/${count(total)} · ${rate(perSecond)} blocks/s · ETA ${left} · ${count(failed)} failed`,
      );
    },
    end: bar.end,
  };
}

function showLines(
  stream: NodeJS.WritableStream,
  { label, total }: { label: string; total: number },
): ProgressDisplay {
  let last: ProgressReport | undefined;
  let lineAt = performance.now();
  const write = (report: ProgressReport): void => {
    const { done, perSecond, secondsLeft, failed } = report;
    const eta = secondsLeft === null || done === total ? "" : `, ${span(secondsLeft)} left`;
    stream.write(
      `${label}: ${count(done)} of ${plural(total, "block")} (${percent(done, total)}), ${rate(perSecond)} blocks/s${eta}, ${count(failed)} failed\n`,
    );
    lineAt = performance.now();
    last = undefined;
  };
  return {
    show(report) {
      last = report;
      if (performance.now() - lineAt >= lineEveryMs) write(report);
    },
    end() {
      if (last !== undefined) write(last);
    },
  };
}

/** Rounded down: 100 % only when all is done. */
function percent(done: number, total: number): string {
  return `${Math.floor((done * 100) / total)} %`;
}
