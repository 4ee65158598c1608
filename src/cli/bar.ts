/** A progress bar: the last line of a terminal, drawn over again and again. */
export interface Bar {
  /** `done` is from 0 to 1. */
  draw(done: number, text: string): void;
  /** Removes it. */
  end(): void;
}

/** Log lines of any process may push it down: they erase it, and it is drawn anew within this time. */
const redrawMs = 200;
const width = 24;
const eraseToEnd = "\u001b[K";
/** For whoever writes a line where a bar may stand. */
export const eraseLine = `\r${eraseToEnd}`;

/**
 * A bar that leaves nothing behind, however the program ends: it neither hides the cursor nor changes how lines wrap. A
 * line that is wider than the terminal is cut.
 */
export function createBar(stream: NodeJS.WriteStream): Bar {
  let line = "";
  const write = (): void => {
    // A terminal of unknown width says 0.
    const room = (stream.columns || 80) - 1;
    stream.write(`\r${[...line].slice(0, room).join("")}${eraseToEnd}`);
  };
  let timer: NodeJS.Timeout | undefined;
  return {
    draw(done, text) {
      const full = Math.floor(Math.min(1, done) * width);
      line = `${"█".repeat(full)}${"░".repeat(width - full)} ${text}`;
      write();
      timer ??= setInterval(write, redrawMs).unref();
    },
    end() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      stream.write(eraseLine);
    },
  };
}
