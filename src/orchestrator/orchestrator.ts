import type pg from "pg";
import { describeEndpoints, type Endpoints } from "../chain/endpoints.js";
import { supervisorOf } from "../child/connections.js";
import type { Doing } from "../child/doing.js";
import type { ChildState } from "../child/messages.js";
import { electionKey } from "../child/roles.js";
import type { ChildContext } from "../child/run-child.js";
import type { ConnectionOptions } from "../db/connection.js";
import { holdLease } from "../db/lease.js";
import { describeError, dispositionOf } from "../errors.js";
import type { Door } from "../pipeline/change-rows.js";
import { runAlerts } from "./alerts/run-alerts.js";
import { createCandidacy } from "./candidacy.js";
import { createDuties, type DutiesContext } from "./duties.js";
import { createFillDuty } from "./fill-duty.js";
import { followChain } from "./follow-chain.js";
import { type Duty, runDuties } from "./run-duties.js";
import { createChainWatch } from "./watch-chains.js";

export interface OrchestratorOptions extends Door, Omit<DutiesContext, "reconnectedAt" | "ownSupervisor"> {
  endpoints: Endpoints;
  connection: ConnectionOptions;
  context: ChildContext<"orchestrator">;
  /** Calls back on every hint that the queue changed. */
  onHint(hint: () => void): void;
}

/** How often a follower looks whether the leader is gone. */
const electionMs = 1_000;
/** How often the endpoints' state is told. */
const reportMs = 2_000;

/**
 * Takes part in the election of the schema's one orchestrator until it is to end, and does the duties
 * while it leads. Whoever holds the lease leads; a leader that dies or freezes loses it within
 * database.lease_seconds. Duties that two leaders did at once would still do no harm: each is
 * idempotent, or takes the locks that it needs.
 */
export async function runOrchestrator(options: OrchestratorOptions): Promise<void> {
  const { context, connection, config, log } = options;
  const ended = new AbortController();
  context.draining.addEventListener("abort", () => ended.abort());
  let fatal: unknown;
  let term: AbortController | undefined;
  let hasLost = false;
  let strangers = 0;
  let current: pg.Client | undefined;
  let reconnectedAt: number | undefined;
  const terms: Promise<void>[] = [];
  let hint = (): void => {};
  options.onHint(() => hint());
  let state: ChildState = "following";
  let more: Doing<"orchestrator"> = {};
  const report = (now: ChildState = state, doing: Doing<"orchestrator"> = more): void => {
    state = now;
    more = doing;
    context.report(state, { ...more, endpoints: describeEndpoints(options.endpoints) });
  };
  const reporting = setInterval(() => report(), reportMs);

  const ownSupervisor = (): string | undefined =>
    context.lease.holds() ? supervisorOf(context.settings.workerId) : undefined;

  const lead = (): void => {
    const mine = new AbortController();
    term = mine;
    log.info("leading: following the head, topping up, sweeping, archiving");
    report("leading");
    const signal = AbortSignal.any([mine.signal, ended.signal]);
    const onFatal = (error: unknown): void => {
      fatal ??= error;
      ended.abort();
    };
    const following = followChain({
      ...options,
      announce: context.announce,
      counts: context.counts,
      signal,
    }).catch(onFatal);
    const onError = (duty: Duty, error: unknown): void => {
      if (dispositionOf(error) === "fatal-process") {
        onFatal(error);
        return;
      }
      const reason = context.redact(describeError(error, 300));
      log.warn({ duty: duty.name, err: error }, reason);
      report("leading", { duty: duty.name, reason });
    };
    const duties = runDuties({
      duties: createDuties({ ...options, ownSupervisor, reconnectedAt }),
      signal,
      onError,
    });
    const alerts = runAlerts({
      ...options,
      connection: (context.settings.pool.looks ?? true) ? connection : undefined,
      redact: context.redact,
      signal,
      onError,
    });
    const chains = runDuties({ duties: [createChainWatch(options)], signal, onError });
    // Beside the others, which must not wait for it.
    const filling = runDuties({
      duties: [createFillDuty({ ...options, checkMs: config.pipeline.check_interval * 1_000 })],
      signal,
      onError,
    });
    hint = duties.hint;
    terms.push(following, duties.done, alerts.done, chains.done, filling.done);
  };

  report("following");
  const candidacy = createCandidacy(config);
  await holdLease({
    ...connection,
    applicationName: `${connection.applicationName} lead`,
    key: electionKey("orchestrator", config.database.schema),
    leaseMs: config.database.lease_seconds * 1_000,
    retryMs: 200,
    refusedMs: electionMs,
    onStrangers(keys) {
      if (keys > strangers)
        log.warn(
          { alert: "lock_wait", keys },
          "sessions of other roles hold advisory locks of the election's keys; they are not believed",
        );
      strangers = keys;
    },
    signal: ended.signal,
    async mayTry(session) {
      if (session !== current && hasLost) reconnectedAt = performance.now();
      current = session;
      return candidacy.mayLead(session);
    },
    async onHeld(session, event) {
      if (event === "taken") lead();
      else if (!(await candidacy.mayLead(session))) throw new Error("another orchestrator follows the head");
    },
    onLost(error) {
      term?.abort();
      hasLost = true;
      hint = () => {};
      const reason = context.redact(describeError(error, 300));
      log.info({ err: error }, "not leading");
      report("following", { reason });
    },
  });
  clearInterval(reporting);
  ended.abort();
  await Promise.all(terms);
  await options.endpoints.close();
  if (fatal !== undefined) throw fatal;
}
