// What a service manager tells its service through the environment. Read once, by the program itself, and
// taken out of the environment: the children are none of the manager's business, nor it of theirs.

import { fstatSync } from "node:fs";
import { environment } from "./environment.js";

export interface ServiceEnvironment {
  /** A descriptor that reaches the service manager: each write is one notification. */
  notifyFd: number | undefined;
  /** Milliseconds within which the service manager wants to be told that we live. */
  watchdogMs: number | undefined;
  /** A folder of this service's own, gone when it ends. */
  runtimeDirectory: string | undefined;
  /** A folder of this service's own that stays. */
  stateDirectory: string | undefined;
}

/** The first descriptor that is passed: https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html */
const firstFd = 3;

/**
 * Reads what the service manager told us, and removes it from the environment. The descriptor comes as a
 * passed one named `notify`: from our launcher, or from systemd's OpenFile=/run/systemd/notify:notify.
 */
export function takeServiceEnvironment(env: NodeJS.ProcessEnv = environment): ServiceEnvironment {
  const mine = (pid: string | undefined) => pid === undefined || Number(pid) === process.pid;
  const names = mine(env.LISTEN_PID) ? (env.LISTEN_FDNAMES ?? "").split(":") : [];
  const at = names.indexOf("notify");
  const watchdogUs = mine(env.WATCHDOG_PID) ? Number(env.WATCHDOG_USEC ?? 0) : 0;
  const taken = {
    notifyFd: at === -1 ? undefined : firstFd + at,
    watchdogMs: watchdogUs > 0 ? watchdogUs / 1_000 : undefined,
    runtimeDirectory: env.RUNTIME_DIRECTORY?.split(":")[0],
    stateDirectory: env.STATE_DIRECTORY?.split(":")[0],
  };
  for (const variable of Object.keys(env)) {
    if (/^(NOTIFY_SOCKET|WATCHDOG_(USEC|PID)|LISTEN_(PID|FDS|FDNAMES))$/.test(variable)) delete env[variable];
  }
  return taken;
}

/**
 * Whether a descriptor is the journal's: $JOURNAL_STREAM names its device and inode
 * (https://www.freedesktop.org/software/systemd/man/systemd.exec.html#%24JOURNAL_STREAM).
 */
export function isJournal(fd: number, env: NodeJS.ProcessEnv = environment): boolean {
  if (!env.JOURNAL_STREAM) return false;
  try {
    const { dev, ino } = fstatSync(fd);
    return env.JOURNAL_STREAM === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
