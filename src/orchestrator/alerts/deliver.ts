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
 * one that comes back is not flooded. No sink waits for another one.
 */
export function createDelivery(options: DeliveryOptions): {
  /** Looks what is to be told. Returns at once; whom something is being told hears of the rest at a later look. */
  look(unsettled: readonly UnsettledAlert[], chainId: number | null): void;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
} {
  const { pool, log, redact, findSinks, signal } = options;
  const running = new Map<string, Promise<void>>();
  /** Until when a sink rests, in seconds since 1970. */
  const rests = new Map<string, number>();
  /** What was noted here, by alert and sink: a look may have read its alerts before that. */
  const noted = new Map<string, ToldSink>();
  const keyOf = (alert: UnsettledAlert, sink: string): string => `${alert.id} ${sink}`;
  const toldOf = (alert: UnsettledAlert, sink: string): ToldSink =>
    noted.get(keyOf(alert, sink)) ?? alert.told[sink] ?? {};

  const note = async (sink: Sink, alert: UnsettledAlert, told: ToldSink): Promise<void> => {
    noted.set(keyOf(alert, sink.name), told);
    await noteTold(pool, alert.id, sink.name, told);
  };

  const tell = async (
    sink: Sink,
    alert: UnsettledAlert,
    event: AlertEvent,
    chainId: number | null,
  ): Promise<boolean> => {
    try {
      await sink.send(messageOf(alert, event, { ...options, chainId }), signal);
    } catch (error) {
      if (!signal.aborted) await rest(sink, alert, event, error);
      return false;
    }
    await note(sink, alert, { event });
    return true;
  };

  const rest = async (
    sink: Sink,
    alert: UnsettledAlert,
    event: AlertEvent,
    error: unknown,
  ): Promise<void> => {
    const told = toldOf(alert, sink.name);
    const attempts = (told.attempts ?? 0) + 1;
    const waitSeconds = Math.min(againSeconds.most, againSeconds.base * 2 ** Math.min(attempts - 1, 20));
    const dueAt = Date.now() / 1_000 + waitSeconds;
    rests.set(sink.name, dueAt);
    // The first time, and when it waits the longest.
    log[attempts === 1 || attempts % 10 === 0 ? "warn" : "debug"](
      { sink: sink.name, alert: alert.kind, event, attempts, againInSeconds: waitSeconds },
      `an alert was not taken: ${redact(describeError(error, 500))}`,
    );
    await note(sink, alert, { ...told, attempts, dueAt });
  };

  const tellSink = async (
    sink: Sink,
    alerts: readonly UnsettledAlert[],
    chainId: number | null,
  ): Promise<void> => {
    const next = (alert: UnsettledAlert): AlertEvent | null =>
      nextEvent({ ...alert, told: toldOf(alert, sink.name).event }, alerts);
    for (const alert of alerts) {
      for (let event = next(alert); event !== null; event = next(alert)) {
        const dueAt = Math.max(rests.get(sink.name) ?? 0, toldOf(alert, sink.name).dueAt ?? 0);
        if (signal.aborted || dueAt > Date.now() / 1_000) return;
        if (!(await tell(sink, alert, event, chainId))) return;
      }
    }
  };

  const settle = async (alerts: readonly UnsettledAlert[], sinks: readonly Sink[]): Promise<void> => {
    const isDone = (alert: UnsettledAlert): boolean =>
      alert.clearedAt !== null &&
      sinks.every(({ name }) => nextEvent({ ...alert, told: toldOf(alert, name).event }, alerts) === null);
    const done = alerts.filter(isDone);
    if (done.length === 0 || signal.aborted) return;
    await settleAlerts(
      pool,
      done.map(({ id }) => id),
    );
  };

  /** Runs one thing of a name at a time. */
  const start = (name: string, run: () => Promise<void>): void => {
    if (running.has(name)) return;
    const done = run()
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn({ err: error }, "alerts could not be told; trying again");
      })
      .finally(() => running.delete(name));
    running.set(name, done);
  };

  const lookFor = async (alerts: readonly UnsettledAlert[], chainId: number | null): Promise<void> => {
    const open = new Set(alerts.map(({ id }) => id));
    for (const key of noted.keys()) if (!open.has(Number.parseInt(key, 10))) noted.delete(key);
    const sinks = await findSinks();
    for (const sink of sinks)
      start(`to ${sink.name}`, async () => {
        await tellSink(sink, alerts, chainId);
        await settle(alerts, sinks);
      });
    await settle(alerts, sinks);
  };

  return {
    look(unsettled, chainId) {
      if (unsettled.length > 0 && !signal.aborted) start("look", () => lookFor(unsettled, chainId));
    },
    async idle() {
      while (running.size > 0) await Promise.all(running.values());
    },
  };
}

/** What a sink that was `told` something is to be told next of an alert; null: nothing. */
export function nextEvent(
  {
    id,
    kind,
    clearedAt,
    told: event,
  }: Pick<UnsettledAlert, "id" | "kind" | "clearedAt"> & { told: AlertEvent | undefined },
  alerts: readonly Pick<UnsettledAlert, "id" | "kind">[],
  nowSeconds = Date.now() / 1_000,
): AlertEvent | null {
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
