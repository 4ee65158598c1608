import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";

/** What a figure depends on, in words. Taken at the start: the load is that of others. */
export function describeMachine(server: string): string[] {
  const processors = cpus();
  const gigabytes = (totalmem() / 2 ** 30).toFixed(1);
  return [
    `CPU      ${processors[0]?.model ?? "unknown"}, ${processors.length} cores; ${gigabytes} GiB of memory`,
    `System   ${type()} ${release()}${distribution()}; load at start ${loadavg()
      .map((load) => load.toFixed(2))
      .join(" ")}`,
    `Node     ${process.version}`,
    `Server   ${server}`,
  ];
}

function distribution(): string {
  try {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
    return name === undefined ? "" : `, ${name}`;
  } catch {
    return "";
  }
}

/** Above this load, others compete for the cores, and figures mislead. */
export function isBusy(): boolean {
  return (loadavg()[0] ?? 0) > cpus().length / 2;
}
