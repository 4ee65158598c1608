import type { Supervisor } from "../supervisor/supervisor.js";

/**
 * SIGTERM or SIGINT lets the supervisor drain, a second one makes it stop. Returns what takes the
 * handlers away again.
 */
export function drainOnSignals(supervisor: Pick<Supervisor, "drain" | "stop">): () => void {
  let asked = false;
  const onSignal = (): void => {
    if (asked) supervisor.stop();
    else supervisor.drain();
    asked = true;
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return () => {
    process.off("SIGTERM", onSignal);
    process.off("SIGINT", onSignal);
  };
}
