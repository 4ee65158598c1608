import { hostname } from "node:os";
import type pg from "pg";
import { describeError } from "../../errors.js";
import type { Logger } from "../../logger.js";
import {
  type AlertEvent,
  noteTold,
  settleAlerts,
  type ToldSink,
  type UnsettledAlert,
} from "../../queue/alerts.js";
import type { Redact } from "../../redact.js";
import type { AlertMessage, Sink } from "./sinks.js";

export interface DeliveryOptions {
  pool: pg.Pool;
  schema: string;
  log: Logger;
  redact: Redact;
  findSinks(): Promise<Sink[]>;
  signal: AbortSignal;
}

/** What did not get through is tried again, each time after twice as long. */
const againSeconds = { base: 5, most: 600 };
/** What is over for so long is told to nobody any more. */
const staleSeconds = 86_400;

/**
 * Tells each sink of each alert: once that it was raised, and once that it was resolved. What a sink took is noted with
 * the alert: so it is told at least once, whoever leads, and after a restart. After a failure a sink rests, so that
 * one that comes back is not flooded.
 */
export function createDelivery(options: DeliveryOptions): {
  /** Looks what is to be told. Returns at once; while one look is under way it does nothing. */
  look(unsettled: readonly UnsettledAlert[], chainId: number | null): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
} {
  const { pool, log, redact, findSinks, signal } = options;
  let current: Promise<void> | undefined;
  /** Until when a sink rests, in seconds since 1970. */
  const rests = new Map<string, number>();

  const tell = async (
    sink: Sink,
    alert: UnsettledAlert,
    event: AlertEvent,
    chainId: number | null,
  ): Promise<boolean> => {
    const told = alert.told[sink.name] ?? {};
    try {
      await sink.send(messageOf(alert, event, { ...options, chainId }), signal);
      await note(sink, alert, { event });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const attempts = (told.attempts ?? 0) + 1;
      const waitSeconds = Math.min(againSeconds.most, againSeconds.base * 2 ** Math.min(attempts - 1, 20));
      const dueAt = Date.now() / 1_000 + waitSeconds;
      rests.set(sink.name, dueAt);
      await note(sink, alert, { ...told, attempts, dueAt });
      const reason = redact(describeError(error, 500));
      const facts = { sink: sink.name, alert: alert.kind, event, attempts, againInSeconds: waitSeconds };
      // The first time, and when it waits the longest.
      log[attempts === 1 || attempts % 10 === 0 ? "warn" : "debug"](
        facts,
        `an alert was not taken: ${reason}`,
      );
      return false;
    }
  };

  const note = async (sink: Sink, alert: UnsettledAlert, told: ToldSink): Promise<void> => {
    alert.told = { ...alert.told, [sink.name]: told };
    await noteTold(pool, alert.id, sink.name, told);
  };

  const tellSink = async (
    sink: Sink,
    alerts: readonly UnsettledAlert[],
    chainId: number | null,
  ): Promise<void> => {
    for (const alert of alerts) {
      for (let event = nextEvent(alert, sink.name, alerts); event !== null; ) {
        const dueAt = Math.max(rests.get(sink.name) ?? 0, alert.told[sink.name]?.dueAt ?? 0);
        if (signal.aborted || dueAt > Date.now() / 1_000) return;
        if (!(await tell(sink, alert, event, chainId))) return;
        event = nextEvent(alert, sink.name, alerts);
      }
    }
  };

  const tellAll = async (alerts: readonly UnsettledAlert[], chainId: number | null): Promise<void> => {
    const sinks = await findSinks();
    await Promise.all(sinks.map((sink) => tellSink(sink, alerts, chainId)));
    const done = alerts.filter(
      (alert) =>
        alert.clearedAt !== null && sinks.every(({ name }) => nextEvent(alert, name, alerts) === null),
    );
    if (done.length > 0 && !signal.aborted)
      await settleAlerts(
        pool,
        done.map(({ id }) => id),
      );
  };

  return {
    look(unsettled, chainId) {
      if (current !== undefined || unsettled.length === 0 || signal.aborted) return;
      current = tellAll(unsettled, chainId)
        .catch((error: unknown) => {
          if (!signal.aborted) log.warn({ err: error }, "alerts could not be told; trying again");
        })
        .finally(() => {
          current = undefined;
        });
    },
    async idle() {
      await current;
    },
  };
}

/** What a sink is to be told next of an alert; null: nothing. */
export function nextEvent(
  { id, kind, clearedAt, told }: UnsettledAlert,
  sink: string,
  alerts: readonly UnsettledAlert[],
  nowSeconds = Date.now() / 1_000,
): AlertEvent | null {
  const event = told[sink]?.event;
  if (event === "resolved") return null;
  if (clearedAt === null) return event === undefined ? "raised" : null;
  if (clearedAt < nowSeconds - staleSeconds) return null;
  if (event === "raised") return "resolved";
  // It came and went while the sink did not answer: of several of a kind the newest is told.
  return alerts.some((other) => other.kind === kind && other.id > id) ? null : "raised";
}

function messageOf(
  alert: UnsettledAlert,
  event: AlertEvent,
  { schema, redact, chainId }: Pick<DeliveryOptions, "schema" | "redact"> & { chainId: number | null },
): AlertMessage {
  const iso = (seconds: number): string => new Date(seconds * 1_000).toISOString();
  return {
    version: 1,
    event,
    id: alert.id,
    kind: alert.kind,
    priority: alert.priority,
    message: redact(alert.message),
    help: `docs/TROUBLESHOOTING.md#alert-${alert.kind}`,
    schema,
    chain_id: chainId,
    host: hostname(),
    raised_at: iso(alert.raisedAt),
    resolved_at: event === "raised" || alert.clearedAt === null ? null : iso(alert.clearedAt),
  };
}
