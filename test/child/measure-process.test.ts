import assert from "node:assert/strict";
import { test } from "node:test";
import { measureProcess } from "../../src/child/measure-process.js";

test("CPU time is that since the last call, and the gauges bear the process' name", () => {
  let used = 2_000_000;
  const measure = measureProcess("worker-3", {
    cpuUsage: () => ({ user: used, system: 500_000 }),
    memoryUsage: Object.assign(() => ({}) as NodeJS.MemoryUsage, { rss: () => 4_096 }),
  });
  assert.equal(measure().cpuSeconds, 2.5);
  used += 1_000_000;
  const { cpuSeconds, gauges } = measure();
  assert.equal(cpuSeconds, 1);
  assert.deepEqual(gauges.blockmill_process_resident_memory_bytes, [[["worker-3"], 4_096]]);
  // Called at once, it is not late.
  assert.deepEqual(gauges.blockmill_process_event_loop_delay_seconds, [[["worker-3"], 0]]);
  const [[, utilization] = []] = gauges.blockmill_process_event_loop_utilization_ratio ?? [];
  assert(Number(utilization) >= 0 && Number(utilization) <= 1);
});
