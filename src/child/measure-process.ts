import type { Series } from "../metrics/counts.js";
import { heartbeatMs } from "./messages.js";

/**
 * A function that tells what this process used since it was last called, at each heartbeat: its CPU time, and its gauges
 * as `process`.
 */
export function measureProcess(
  process: string,
  { cpuUsage, memoryUsage }: Pick<NodeJS.Process, "cpuUsage" | "memoryUsage"> = globalThis.process,
): () => { cpuSeconds: number; gauges: Series } {
  let at = performance.now();
  let used = 0;
  let loop = performance.eventLoopUtilization();
  return () => {
    const now = performance.now();
    const { user, system } = cpuUsage();
    const seconds = (user + system) / 1_000_000;
    const loopNow = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loopNow, loop);
    const lateSeconds = Math.max(0, now - at - heartbeatMs) / 1_000;
    const cpuSeconds = seconds - used;
    [at, used, loop] = [now, seconds, loopNow];
    return {
      cpuSeconds,
      gauges: {
        blockmill_process_resident_memory_bytes: [[[process], memoryUsage.rss()]],
        blockmill_process_event_loop_delay_seconds: [[[process], lateSeconds]],
        blockmill_process_event_loop_utilization_ratio: [[[process], utilization]],
      },
    };
  };
}
