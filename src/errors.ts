// Errors carry facts, and a disposition that decides what becomes of the job and of the process.

/**
 * What an error means for whoever meets it:
 * - `wait`: nobody's fault that is being worked on (database gone, disk full, endpoints down, rate
 *   limit). Give claims back, claim nothing for a while, burn no attempt.
 * - `not-yet`: what is asked for is not there yet, or cannot be had at the moment, and nothing else is wrong. The job
 *   alone waits, in `scheduled`, longer every time, and burns no attempt.
 * - `retry`: this attempt failed. It counts, and the job backs off into `scheduled`.
 * - `fatal-job`: trying again cannot help. Straight to `failed`.
 * - `fatal-process`: the process cannot work at all (configuration, schema). Exit 78.
 */
export type Disposition = "wait" | "not-yet" | "retry" | "fatal-job" | "fatal-process";

/** Facts are plain values for logs and `processing_failures`; none may hold a URL or a secret. */
export type Facts = Record<string, string | number | boolean | null | undefined>;

export abstract class BlockmillError extends Error {
  abstract readonly disposition: Disposition;
  readonly facts: Facts;

  constructor(message: string, facts: Facts = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.facts = facts;
  }
}

/** The database cannot be reached, refuses work, or is out of space. */
export class DatabaseUnavailableError extends BlockmillError {
  readonly disposition = "wait";
}

/** The partition that a block's rows belong to is gone. It is made again before the next try. */
export class MissingPartitionError extends BlockmillError {
  readonly disposition = "wait";
}

/** An endpoint does not answer, or answers that it cannot serve now. */
export class EndpointUnavailableError extends BlockmillError {
  readonly disposition = "wait";
}

/** An endpoint that served the right chain serves another one. It is not asked until it serves the right one again. */
export class ChangedChainError extends EndpointUnavailableError {}

/** An endpoint asks us to slow down. */
export class RateLimitedError extends BlockmillError {
  readonly disposition = "wait";
  /** Milliseconds that the endpoint asked for, if it did. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, facts: Facts & { retryAfterMs?: number | undefined }, options?: ErrorOptions) {
    super(message, facts, options);
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/** An endpoint refused the request; `refusal` says what that means (src/chain/endpoint/refusal.ts). */
export class EndpointError extends BlockmillError {
  readonly disposition = "retry";
}

/** The block is not there (yet), in whatever words the endpoint says so. */
export class BlockNotFoundError extends BlockmillError {
  readonly disposition = "not-yet";
}

/**
 * An endpoint cannot serve this block, and those that might are away; or it refuses this block alone, as if it could
 * not serve at all. The cause says more.
 */
export class BlockUnavailableError extends BlockmillError {
  readonly disposition = "not-yet";
}

/**
 * An endpoint's answer is not what the JSON-RPC specification or the block itself promises.
 * `field` is a path such as `transactions[3].gas`.
 */
export class BadResponseError extends BlockmillError {
  readonly disposition = "retry";

  constructor(facts: Facts & { field: string; expected: string; actual: string }, options?: ErrorOptions) {
    super(`${facts.field}: expected ${facts.expected}, got ${facts.actual}`, facts, options);
  }
}

/** A job ran longer than pipeline.timeout_minutes. */
export class JobTimeoutError extends BlockmillError {
  readonly disposition = "retry";
}

/** The block's own rows cannot be stored; trying again would give the same rows. */
export class UnstorableBlockError extends BlockmillError {
  readonly disposition = "fatal-job";
}

/**
 * The block's rows collide with rows under its number that somebody has written meanwhile who takes no part in
 * claims: a person in psql, say. The next attempt removes those first.
 */
export class ConflictingRowsError extends BlockmillError {
  readonly disposition = "retry";
}

/** The configuration is wrong. The message names the key, where it came from, and what was expected. */
export class ConfigError extends BlockmillError {
  readonly disposition = "fatal-process";
}

/** The database's schema is missing, or of a version that this program does not work with. */
export class SchemaError extends BlockmillError {
  readonly disposition = "fatal-process";
}

/** The command line is wrong. Exit 2. */
export class UsageError extends BlockmillError {
  readonly disposition = "fatal-process";
}

/** The disposition of anything that was thrown. What we do not know counts as an attempt. */
export function dispositionOf(error: unknown): Disposition {
  return error instanceof BlockmillError ? error.disposition : "retry";
}

/**
 * One line for people: the message, and the messages of its causes. At most `maxLength` characters, and cut between
 * words: half a key could not be told from other text any more when secrets are taken out.
 */
export function describeError(error: unknown, maxLength = 2_000): string {
  const parts: string[] = [];
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < 5; depth += 1) {
    const message = at instanceof Error ? at.message || at.name : String(at);
    if (!parts.some((part) => part.includes(message))) parts.push(message);
    at = at instanceof Error ? at.cause : undefined;
  }
  const line = parts.join(": ").replace(/\s+/g, " ").replaceAll("\0", "").trim();
  return line.length > maxLength ? `${line.slice(0, line.lastIndexOf(" ", maxLength - 2) + 1)}…` : line;
}
