import { heartbeatMs } from "../child/messages.js";
import type { Logger } from "../logger.js";
import type { Child } from "./child.js";
import type { StartLimit } from "./start-limit.js";

export interface Watch {
  /**
   * Whether every child is heard of. One that hangs is killed and replaced: not well is who cannot even do
   * that, or had no child at all for long.
   */
  well(): boolean;
  close(): void;
}

/** A child that is silent so long beyond its limit could not be killed. */
const unkillableMs = 10_000;
/** A child that keeps dying is replaced after 30 s at the latest. */
const emptyMs = 60_000;

/**
 * Kills children that are not heard of: after `hungMs`, or while they load after what `startLimit` gives them. A
 * pause of this process itself is not held against them.
 */
export function watchHeartbeats({
  children,
  hungMs,
  startLimit,
  log,
}: {
  children: ReadonlySet<Child>;
  hungMs(): number;
  startLimit: StartLimit;
  log: Logger;
}): Watch {
  const limitMs = (child: Child): number => (child.hasLoaded ? hungMs() : startLimit.ms);
  const killed = new WeakSet<Child>();
  let lastLook = performance.now();
  let pausedUntil = 0;
  let lastFilled = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - lastLook > 3 * heartbeatMs) pausedUntil = now + hungMs();
    lastLook = now;
    if (children.size > 0) lastFilled = now;
    if (now < pausedUntil) return;
    for (const child of children) {
      if (killed.has(child) || child.silentMs() < limitMs(child)) continue;
      killed.add(child);
      log.error(
        { worker: child.workerId, childPid: child.pid, silentMs: Math.round(child.silentMs()) },
        child.hasLoaded ? "hung: killing it" : "it does not come to the end of loading: killing it",
      );
      child.kill("SIGKILL");
      if (!child.hasLoaded) startLimit.killed();
    }
  }, heartbeatMs);
  return {
    well() {
      if (children.size === 0) return performance.now() - lastFilled < emptyMs;
      return [...children].every((child) => child.silentMs() < limitMs(child) + unkillableMs);
    },
    close: () => clearInterval(timer),
  };
}
