import type { DaemonView } from "../child/daemon-view.js";
import { measureProcess } from "../child/measure-process.js";
import type { Counts } from "../metrics/counts.js";
import type { Child } from "./child.js";

export interface ViewOptions {
  supervisorId: string;
  version: string;
  counts: Counts;
  draining: AbortSignal;
  children(): Iterable<Child>;
  workersWanted(): number;
  lease(): { forMs(): number; lostReason(): string | undefined };
}

/** A function that tells how the daemon is at the moment it is called. It reads what is known, and waits for nothing. */
export function createView(options: ViewOptions): () => DaemonView {
  const { supervisorId, version, counts, draining, children, workersWanted, lease } = options;
  const started = performance.now();
  const itself = measureProcess("supervisor-0");
  return () => {
    const { cpuSeconds, gauges } = itself();
    counts.add("blockmill_process_cpu_seconds_total", ["supervisor"], cpuSeconds);
    return {
      supervisorId,
      version,
      upSeconds: (performance.now() - started) / 1_000,
      isDraining: draining.aborted,
      leaseForSeconds: Math.max(0, lease().forMs() / 1_000),
      leaseLostReason: lease().lostReason() ?? null,
      workersWanted: workersWanted(),
      children: [...children()].map((child) => ({
        workerId: child.workerId,
        role: child.role,
        rank: child.rank,
        pid: child.pid ?? null,
        state: child.state,
        doing: child.doing,
        upSeconds: child.livedMs() / 1_000,
        silentSeconds: child.silentMs() / 1_000,
        gauges: child.gauges,
      })),
      counted: counts.all(),
      // How late it came to this says nothing: it comes to it when it is asked.
      gauges: { ...gauges, blockmill_process_event_loop_delay_seconds: [] },
    };
  };
}
