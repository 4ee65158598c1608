import { writeSync } from "node:fs";

/** Tells the service manager; without one it says nothing to nobody. */
export interface Notifier {
  /** Sends fields such as `READY=1` as one message. https://www.freedesktop.org/software/systemd/man/sd_notify.html */
  send(...fields: string[]): void;
}

/** What could not be sent yet; systemd's queue is full for moments only. */
const unsentMost = 16;

/**
 * A Notifier on a descriptor that is connected to the service manager's datagram socket: a write is a
 * message, and the kernel vouches that the main process wrote it (NotifyAccess=main). Never blocks, never
 * throws: a manager that does not read must not stall the loop that it watches.
 */
export function createNotifier(fd: number | undefined): Notifier {
  const unsent: string[] = [];
  return {
    send(...fields) {
      if (fd === undefined) return;
      unsent.push(fields.join("\n"));
      while (unsent[0] !== undefined && write(fd, unsent[0])) unsent.shift();
      unsent.splice(0, Math.max(0, unsent.length - unsentMost));
    },
  };
}

/** False: try again later. */
function write(fd: number, message: string): boolean {
  try {
    writeSync(fd, message);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code !== "EAGAIN" && code !== "ENOBUFS";
  }
}

/** CLOCK_MONOTONIC in microseconds, which RELOADING=1 must come with. */
export function monotonicUsec(): string {
  return `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`;
}
