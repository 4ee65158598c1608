import { isRefusedConnection } from "../db/database-error.js";
import { BlockmillError, ConfigError, dispositionOf, SchemaError, UsageError } from "../errors.js";

/** What the program's exit codes mean. 64 to 78 are those of sysexits.h. */
export const exitCodes = {
  done: 0,
  /** Some blocks failed, or are missing or wrong. */
  blocksFailed: 1,
  usage: 2,
  /** The database or the node cannot be reached, or pg_dump or pg_restore failed. */
  unavailable: 69,
  /** Something that is a defect of blockmill. */
  software: 70,
  /** The configuration or the schema is wrong: starting again cannot help. */
  config: 78,
  /** Ctrl-C or SIGTERM ended a command before it was done: what a shell says of Ctrl-C. A daemon that drains ends with 0. */
  interrupted: 130,
} as const;

/** The exit code of an error that ends a command. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof BlockmillError && error.facts.interrupted === true) return exitCodes.interrupted;
  if (error instanceof UsageError) return exitCodes.usage;
  if (error instanceof ConfigError || error instanceof SchemaError) return exitCodes.config;
  if (isRefusedConnection(error)) return exitCodes.config;
  const disposition = dispositionOf(error);
  if (disposition === "wait" || disposition === "not-yet") return exitCodes.unavailable;
  return disposition === "fatal-process" ? exitCodes.config : exitCodes.software;
}
