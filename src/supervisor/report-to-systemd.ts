import type { Snapshot } from "./snapshot.js";
import { describeSnapshot } from "./status-line.js";
import { monotonicUsec, type Notifier } from "./systemd-notify.js";

export interface ReportOptions {
  snapshot(): Snapshot;
  notifier: Notifier;
  /** Milliseconds within which systemd wants to hear of us; undefined: it does not watch. */
  watchdogMs: number | undefined;
}

/** How often the status is looked at. It is sent when it changed. */
const everyMs = 1_000;
/** The stop's time is extended by so much at each look while we drain. */
const extendMs = 15_000;
/** Rates are over the last minute. */
const windowMs = 60_000;

/**
 * Keeps systemd informed of a supervisor that is up: READY now, then the status in one line, the watchdog
 * while supervisor and children are well, RELOADING and STOPPING as they come, and more time while it
 * drains. Returns what ends it.
 */
export function reportToSystemd({ snapshot, notifier, watchdogMs }: ReportOptions): () => void {
  const samples: { at: number; completed: number }[] = [];
  let phase: Snapshot["phase"] = "working";
  let said = "";

  const look = (): void => {
    const now = snapshot();
    const fields: string[] = [];
    if (now.phase !== phase) fields.push(...announce(phase, now.phase));
    phase = now.phase;
    if (phase === "draining") fields.push(`EXTEND_TIMEOUT_USEC=${extendMs * 1_000}`);
    // Without it systemd restarts us: so not for a database or a node that is away, which no restart heals.
    if (watchdogMs !== undefined && now.well) fields.push("WATCHDOG=1");
    const line = describeSnapshot(now, completedPerMinute(samples, now.completed));
    if (line !== said) fields.push(`STATUS=${line}`);
    said = line;
    if (fields.length > 0) notifier.send(...fields);
  };

  notifier.send("READY=1");
  look();
  const timer = setInterval(look, Math.min(everyMs, (watchdogMs ?? everyMs * 3) / 3));
  return () => clearInterval(timer);
}

function announce(from: Snapshot["phase"], to: Snapshot["phase"]): string[] {
  if (to === "reloading") return ["RELOADING=1", monotonicUsec()];
  if (to === "draining") return ["STOPPING=1"];
  return from === "reloading" ? ["READY=1"] : [];
}

function completedPerMinute(samples: { at: number; completed: number }[], completed: number): number {
  const now = performance.now();
  samples.push({ at: now, completed });
  while (samples[1] !== undefined && now - samples[1].at >= windowMs) samples.shift();
  const oldest = samples[0] ?? { at: now, completed };
  // Over less than five seconds a rate would be noise.
  const overMs = Math.max(now - oldest.at, 5_000);
  return Math.round(((completed - oldest.completed) * windowMs) / overMs);
}
