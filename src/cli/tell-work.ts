import type { Logger } from "../logger.js";
import type { Supervisor } from "../supervisor/supervisor.js";

/** How often it is looked at. */
const lookMs = 1_000;
/** A line tells what was done since the one before, which is at least so long ago. */
const everyMs = 10_000;

/**
 * Logs how many blocks were stored: soon after the first one, then now and then while there are more. For a person at a
 * terminal; a service has `status` and the status line. Returns what ends it.
 */
export function tellWork(
  { snapshot }: Pick<Supervisor, "snapshot">,
  log: Pick<Logger, "info">,
  { now = () => performance.now() }: { now?: () => number } = {},
): () => void {
  let told = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (): void => {
    const { completed } = snapshot();
    if (completed === told) return;
    log.info({ blocks: completed - told, since_start: completed }, "stored");
    told = completed;
    toldAt = now();
  };
  const timer = setInterval(() => {
    if (now() - toldAt >= everyMs) tell();
  }, lookMs).unref();
  return () => {
    clearInterval(timer);
    tell();
  };
}
