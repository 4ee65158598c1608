import type { BlockSpan } from "../block.js";
import type { Config } from "../config/schema.js";
import type { WorkersSetting } from "../config/workers.js";
import { ConfigError } from "../errors.js";
import { startSupervisor } from "../supervisor/supervisor.js";
import { version } from "../version.js";
import { eraseLine } from "./bar.js";
import type { Session } from "./session.js";
import { drainOnSignals } from "./signals.js";

const farewell = "Finishing what is claimed. A second signal (Ctrl-C) ends at once.";

export interface WorkUntilOptions {
  /** The blocks to work on, inclusive; a daemon beside us may take them as well. */
  only: BlockSpan;
  workers: WorkersSetting;
}

/**
 * Runs a supervisor of one's own, for these blocks alone, while `watch` runs; then lets it drain. The
 * `signal` of `watch` aborts when somebody asks the program to end, or when the supervisor cannot work.
 * Throws a ConfigError in the latter case.
 */
export async function workUntil<T>(
  session: Session,
  { only, workers }: WorkUntilOptions,
  watch: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const config = foregroundConfig(session, workers);
  const log = session.log.child({ component: "supervisor" });
  log.level(config.log.level as "info");
  const supervisor = startSupervisor({ config, version, log, redact: session.redact, only, outputFd: 2 });
  const asked = new AbortController();
  const over = (): void => asked.abort();
  void supervisor.ended.then(over, over);
  const forgetSignals = drainOnSignals({
    drain: () => {
      asked.abort();
      process.stderr.write(`${process.stderr.isTTY ? eraseLine : ""}${farewell}\n`);
      supervisor.drain();
    },
    stop: supervisor.stop,
  });
  const watched = watch(asked.signal);
  await Promise.allSettled([watched]);
  supervisor.drain();
  const { fatal } = await supervisor.ended.finally(forgetSignals);
  // What ended the supervisor tells more than what that did to the watch.
  if (fatal !== undefined) throw new ConfigError(fatal);
  return watched;
}

/** One connection is ours, the log belongs behind the progress, and the head and HTTP are the daemons'. */
function foregroundConfig({ config, loaded }: Session, workers: WorkersSetting): Config {
  const levelGiven = loaded.sources.get("log.level")?.startsWith("--") ?? false;
  const { pool_size, max_overflow } = config.database;
  const ours = max_overflow > 0 ? { max_overflow: max_overflow - 1 } : { pool_size: pool_size - 1 };
  return {
    ...config,
    pipeline: { ...config.pipeline, workers, auto_enqueue: false },
    database: { ...config.database, ...ours },
    web: { ...config.web, listen: "" },
    log: { ...config.log, level: levelGiven ? config.log.level : "warn" },
  };
}
