import { readFileSync } from "node:fs";
import { descendants } from "../../test/support/process.js";

/** In which Linux tells times to programs, on every machine (USER_HZ). */
const ticksPerSecond = 100;

/** The milliseconds of CPU that a process, its descendants, and their children that have ended used so far. Linux only. */
export function cpuMs(pid: number): number {
  return [pid, ...descendants(pid)].reduce((sum, each) => sum + ownCpuMs(each), 0);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime, stime, cutime and cstime, fields 14 to 17. */
function ownCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const ticks = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 15);
  return (ticks.reduce((sum, each) => sum + Number(each), 0) / ticksPerSecond) * 1_000;
}
