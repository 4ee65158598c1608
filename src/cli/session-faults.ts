import type { Config } from "../config/schema.js";
import type { Obstacle } from "../db/find-obstacle.js";
import type { SessionFault, WrongSetting } from "../db/prove-session.js";
import { ConfigError, describeError } from "../errors.js";

/** What is wrong with the address for sessions, and what to set instead. */
export function sessionFaultError(config: Config, fault: SessionFault): ConfigError {
  const { key, advice } = adviceFor(config);
  switch (fault.kind) {
    case "forgets":
      return configError(
        key,
        `it leads through a pooler that keeps no session (PgBouncer in transaction mode does so), where LISTEN and the locks of leases are lost: ${advice}`,
      );
    case "drops":
      return configError(
        key,
        `it leads through a pooler that drops the settings of a session (${listSettings(fault.settings)}): ${advice}; or give them to the role, see docs/OPERATIONS.md, Through PgBouncer`,
      );
    case "elsewhere":
      return configError(
        key,
        key === "database.url"
          ? "two connections to it lead to two databases"
          : "it leads to another database than database.url",
      );
  }
}

/** A ConfigError if the address for sessions is a pooler's that refuses their settings as they begin; else undefined. */
export function refusedSettingsError(config: Config, error: unknown): ConfigError | undefined {
  const reason = describeError(error);
  // PgBouncer's words. Its SQLSTATE, 08P01, is that of a server which is away as well.
  if (!/unsupported startup parameter/.test(reason)) return undefined;
  const { key, advice } = adviceFor(config);
  return configError(
    key,
    `it leads through a pooler that refuses the settings of a session (${reason}): ${advice}`,
  );
}

/** The pooler of database.url cannot be used beside database.listen_url. Returns what does not need a person as it is. */
export function poolerError(error: unknown): unknown {
  const reason = describeError(error);
  if (!/not allowed in statement pooling mode/.test(reason)) return error;
  return configError(
    "database.url",
    `its pooler keeps no transaction together (${reason}): expected pool_mode transaction`,
  );
}

/** A pooler makes other settings of ours. */
export function wrongSettingsError(settings: readonly WrongSetting[]): ConfigError {
  return configError(
    "database.url",
    `its pooler does not keep the settings of a transaction (${listSettings(settings)})`,
  );
}

/** Something in the database keeps a daemon from its work. */
export function obstacleError({ reason, remedy }: Obstacle): ConfigError {
  return configError("database.url", `${reason}: ${remedy}`);
}

function adviceFor({ database }: Config): { key: string; advice: string } {
  return database.listen_url
    ? { key: "database.listen_url", advice: "it must be PostgreSQL's own address" }
    : {
        key: "database.url",
        advice: "set database.listen_url to PostgreSQL's own address, and database.url may stay the pooler's",
      };
}

function listSettings(settings: readonly WrongSetting[]): string {
  return settings
    .map(({ name, wanted, actual }) => `${name} is "${actual}" instead of "${wanted}"`)
    .join(", ");
}

function configError(key: string, reason: string): ConfigError {
  return new ConfigError(`${key}: ${reason}`, { key });
}
