import type { Config } from "../config/schema.js";
import { ConfigError } from "../errors.js";
import type { Logger } from "../logger.js";
import { allotConnections } from "./allot-connections.js";
import type { Installation } from "./installation.js";
import type { Generation } from "./place.js";

export interface ReloadOptions {
  /** What the supervisor was started with. */
  started: Config;
  newestInstallation(): Installation;
  /** Replaces the children by those of the next generation. */
  rollTo(next: Generation): Promise<void>;
  /** Told when all of it is done. */
  onReloaded(): Promise<void>;
  /** Aborts when nothing is to be reloaded any more. */
  draining: AbortSignal;
  log: Logger;
}

/** Reloads of a supervisor, of which one is under way at most. */
export class Reload {
  readonly #options: ReloadOptions;
  #isUnderWay = false;

  constructor(options: ReloadOptions) {
    this.#options = options;
  }

  get isUnderWay(): boolean {
    return this.#isUnderWay;
  }

  /** As Supervisor.reload says. */
  async run(check: (installation: Installation) => Promise<Config>): Promise<void> {
    const { started, newestInstallation, rollTo, onReloaded, draining, log } = this.#options;
    if (draining.aborted) throw new ConfigError("it is stopping");
    if (this.#isUnderWay) throw new ConfigError("another reload is under way");
    this.#isUnderWay = true;
    try {
      const installation = newestInstallation();
      const config = await check(installation);
      checkReloadable(started, config);
      const allotment = allotConnections(config);
      log.info({ installation: installation.code }, "reloading: rolling the children");
      await rollTo({ config, allotment, installation });
      log.level(config.log.level as "info");
      log.info("reloaded");
      await onReloaded();
    } catch (error) {
      // What was rolled stays, and what was not stays as it was: the places remember their generation.
      log.error({ err: error }, "the reload failed");
      throw error;
    } finally {
      this.#isUnderWay = false;
    }
  }
}

/** The supervisor's own session and lease stay what they are: what they hang on takes a restart. */
function checkReloadable(before: Config, after: Config): void {
  for (const key of ["url", "listen_url", "schema", "lease_seconds"] as const) {
    if (before.database[key] === after.database[key]) continue;
    throw new ConfigError(`database.${key} changed: that takes a restart`, { key: `database.${key}` });
  }
}
