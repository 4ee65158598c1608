import { SingleBar } from "cli-progress";
import { count, rate, span } from "./wording.js";

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
  const bar = new SingleBar({
    stream,
    format: "{bar} {percent} · {through} · {speed} blocks/s · ETA {left} · {failures} failed",
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 24,
    hideCursor: true,
    fps: 5,
    // Ctrl-C is ours: the bar ends with the command.
    gracefulExit: false,
  });
  const payload = (report: ProgressReport) => ({
    percent: percent(report.done, total),
    through: `${count(report.done)}/${count(total)}`,
    speed: rate(report.perSecond),
    left: report.secondsLeft === null ? "?" : span(report.secondsLeft),
    failures: count(report.failed),
  });
  bar.start(total, 0, payload({ done: 0, perSecond: 0, secondsLeft: null, failed: 0 }));
  return {
    show: (report) => bar.update(report.done, payload(report)),
    end: () => bar.stop(),
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
      `${label}: ${count(done)} of ${count(total)} blocks (${percent(done, total)}), ${rate(perSecond)} blocks/s${eta}, ${count(failed)} failed\n`,
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
