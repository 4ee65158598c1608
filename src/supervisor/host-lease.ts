import type pg from "pg";
import { pulseChannel } from "../child/connections.js";
import type { ConnectionOptions } from "../db/connection.js";
import { isRefusedConnection } from "../db/database-error.js";
import { holdLease } from "../db/lease.js";
import { describeError } from "../errors.js";
import type { Logger } from "../logger.js";
import type { Redact } from "../redact.js";
import type { Child } from "./child.js";
import type { Registration } from "./registration.js";

export interface HostLeaseOptions {
  supervisorId: string;
  connection: ConnectionOptions;
  leaseMs: number;
  children: ReadonlySet<Child>;
  registration: Registration;
  /** Called with the lease's session at every ping, while it is free. */
  onPing(session: pg.Client): Promise<void>;
  log: Logger;
  redact: Redact;
  /** Gives it up when it aborts. */
  signal: AbortSignal;
}

/** The lease of a supervisor's host, as its children are told of it. */
export class HostLease {
  /** Resolves when it is given up. */
  readonly ended: Promise<void>;
  #until = 0;
  #lostAt: number | undefined = performance.now();
  #lostReason: string | undefined;

  constructor(options: HostLeaseOptions) {
    const { supervisorId, connection, leaseMs, log, redact, signal } = options;
    this.ended = holdLease({
      ...connection,
      applicationName: `${connection.applicationName} lease`,
      key: supervisorId,
      pulseChannel: pulseChannel(supervisorId),
      leaseMs,
      retryMs: 200,
      signal,
      onHeld: (session, event, validForMs) => this.#held(options, session, { event, validForMs }),
      onLost: (error) => {
        this.#lostAt ??= performance.now();
        this.#lostReason = redact(describeError(error, 200));
        // A password that was changed comes right by no waiting: a person is to see it.
        const level = isRefusedConnection(error) ? "error" : "warn";
        log[level]({ err: error }, "the lease of this host is lost; taking it again");
      },
    });
  }

  /** How long it holds from now on; not above 0: it does not. */
  forMs(): number {
    return this.#until - performance.now();
  }

  /** Milliseconds since it was lost; undefined: it holds. */
  lostForMs(): number | undefined {
    return this.#lostAt === undefined ? undefined : performance.now() - this.#lostAt;
  }

  /** What was said when it was last tried, without secrets; undefined: it holds, or was not tried yet. */
  lostReason(): string | undefined {
    return this.#lostReason;
  }

  async #held(
    { supervisorId, children, registration, onPing, log }: HostLeaseOptions,
    session: pg.Client,
    { event, validForMs }: { event: "taken" | "pinged" | "kept"; validForMs: number },
  ): Promise<void> {
    const until = performance.now() + validForMs;
    const begin = (): void => {
      this.#until = until;
      this.#lostAt = undefined;
      this.#lostReason = undefined;
    };
    const tell = (): void => {
      const pulse = event === "pinged";
      for (const child of children) child.send({ type: "lease", validForMs: this.forMs(), pulse });
    };
    // Whoever is to claim is registered first, also who is forked meanwhile: the claims of a supervisor that nobody knows
    // are looked for last.
    if (event !== "taken") {
      begin();
      tell();
    }
    await registration.write(session, { mustWrite: event === "taken" });
    if (event === "taken") {
      begin();
      tell();
    }
    await onPing(session);
    if (event === "taken") log.info({ supervisor: supervisorId }, "holding the lease of this host");
  }
}
