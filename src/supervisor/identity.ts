import { randomBytes } from "node:crypto";
import { hostname } from "node:os";

/**
 * A name for one life of a supervisor: host.pid.life. Its children are NAME/o1, NAME/w1, ... The whole
 * fits application_name's 63 bytes, and no other process ever bears it.
 */
export function createSupervisorId(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9-]/g, "-")
    .slice(0, 20);
  return `${host}.${process.pid}.${randomBytes(3).toString("hex")}`;
}

/** The parts of such a name that tell which process had it; null: it is none. */
export function parseSupervisorId(id: string): { host: string; pid: number } | null {
  const [, host, pid] = /^([A-Za-z0-9-]+)\.(\d+)\.[0-9a-f]+$/.exec(id) ?? [];
  return host === undefined || pid === undefined ? null : { host, pid: Number(pid) };
}
