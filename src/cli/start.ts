import { requireKeys } from "../config/load.js";
import { ConfigError, dispositionOf } from "../errors.js";
import { startSupervisor } from "../supervisor/supervisor.js";
import { version } from "../version.js";
import { exitCodes } from "./exit-codes.js";
import { checkEndpoints } from "./preflight.js";
import { type Session, withDatabase } from "./session.js";
import { drainOnSignals } from "./signals.js";

/**
 * `blockmill start`: the daemon, until a signal ends it. A database or a node that is down is waited
 * for; a configuration or a schema that cannot work ends it with exit code 78.
 */
export async function start(session: Session): Promise<number> {
  const { config, log, redact } = session;
  requireKeys(config, ["database.url", "rpc.urls"]);
  try {
    await withDatabase(session, (pool) => checkEndpoints(session, pool));
  } catch (error) {
    if (dispositionOf(error) !== "wait") throw error;
    log.warn({ err: error }, "the database cannot be reached yet; waiting for it");
  }
  const supervisor = startSupervisor({
    config,
    version,
    log: log.child({ component: "supervisor" }),
    redact,
    outputFd: 1,
  });
  const release = drainOnSignals(supervisor);
  const { fatal } = await supervisor.ended;
  release();
  if (fatal !== undefined) throw new ConfigError(fatal);
  log.info("ended");
  return exitCodes.done;
}
