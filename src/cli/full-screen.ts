/** A whole terminal that is drawn over again and again. */
export interface FullScreen {
  /** Shows lines from the top, as many as there is room for, and `footer` as the last line. */
  draw(lines: readonly string[], footer: string): void;
  /** Gives the terminal back as it was. */
  end(): void;
}

// xterm's control sequences: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l";
const leave = "\u001b[?7h\u001b[?25h\u001b[?1049l";
const home = "\u001b[H";
const eraseToEnd = "\u001b[K";
const eraseBelow = "\u001b[J";
const ctrlC = "\u0003";

/**
 * Takes the terminal: another screen without a cursor, whose long lines are cut. `onQuit`: q, Esc or Ctrl-C was pressed,
 * or nobody can press anything any more. What was drawn last is drawn again when the terminal gets another size. However
 * the program exits, the terminal is given back.
 */
export function createFullScreen({
  input,
  output,
  onQuit,
}: {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  onQuit(): void;
}): FullScreen {
  let last: { lines: readonly string[]; footer: string } | undefined;
  let isOpen = true;

  const write = (): void => {
    if (last === undefined || !isOpen) return;
    // A terminal of unknown size says 0.
    const room = Math.max(1, (output.rows || 24) - 1);
    const lines = [
      ...last.lines.slice(0, room),
      ...Array<string>(Math.max(0, room - last.lines.length)).fill(""),
    ];
    const text = [...lines, last.footer].map((line) => `${line}${eraseToEnd}`).join("\n");
    output.write(`${home}${text}${eraseBelow}`);
  };
  const onKeys = (keys: Buffer): void => {
    // An arrow begins with Esc as well.
    const pressed = keys.toString("latin1");
    if (pressed === "\u001b" || pressed.includes(ctrlC) || /^[qQ]/.test(pressed)) onQuit();
  };
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    process.off("exit", end);
    output.off("resize", write);
    if (input.isTTY) {
      input.off("data", onKeys);
      input.off("end", onQuit);
      input.setRawMode(false);
      input.pause();
    }
    output.write(leave);
  };

  output.write(enter);
  output.on("resize", write);
  process.on("exit", end);
  if (input.isTTY) {
    input.setRawMode(true);
    input.on("data", onKeys);
    input.on("end", onQuit);
    input.resume();
  }
  return {
    draw(lines, footer) {
      last = { lines, footer };
      write();
    },
    end,
  };
}
