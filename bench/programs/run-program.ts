import type { FromProgram } from "../harness/program.js";

export interface ProgramContext<Settings> {
  settings: Settings;
  /** Says that it is ready, and waits for the word to begin. */
  ready(): Promise<void>;
  progress(done: number, at: number): void;
  /** Aborts when the program is asked for its result. */
  finish: AbortSignal;
}

/** The life of a forked program: see ../harness/program.ts. `work` returns the result. Ends with its parent. */
export function runProgram<Settings>(work: (context: ProgramContext<Settings>) => Promise<unknown>): void {
  const send = (message: FromProgram, sent?: () => void): void => {
    process.send?.(message, undefined, undefined, () => sent?.());
  };
  const finish = new AbortController();
  let go = (): void => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message: { type: string; settings: Settings }) => {
    if (message.type === "go") go();
    if (message.type === "finish") finish.abort();
    if (message.type !== "settings") return;
    work({
      settings: message.settings,
      ready() {
        send({ type: "ready" });
        return gone;
      },
      progress: (done, at) => send({ type: "progress", done, at }),
      finish: finish.signal,
    }).then(
      (result) => send({ type: "result", result }, () => process.exit(0)),
      (error: unknown) => {
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`, () =>
          process.exit(1),
        );
      },
    );
  });
}
