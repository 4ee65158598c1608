import type { Supervisor } from "../supervisor/supervisor.js";
import { exitCodes } from "./exit-codes.js";

/** A supervisor that was told to stop may take so long: its children, which have six seconds, and some for the database. */
const stopWithinMs = 9_000;

/**
 * SIGTERM or SIGINT lets the supervisor drain, a second one makes it stop. Should it not have ended `stopWithinMs`
 * later, whatever it waits for, the process exits; its children end without it, and its lease falls. Returns
 * what takes the handlers away again.
 */
export function drainOnSignals(supervisor: Pick<Supervisor, "drain" | "stop">): () => void {
  let asked = false;
  let late: NodeJS.Timeout | undefined;
  const onSignal = (): void => {
    if (!asked) supervisor.drain();
    else if (late === undefined) {
      supervisor.stop();
      late = setTimeout(() => process.exit(exitCodes.unavailable), stopWithinMs);
      late.unref();
    }
    asked = true;
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return () => {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
    clearTimeout(late);
  };
}
