import type { Snapshot } from "./snapshot.js";

/** A snapshot in one line for `systemctl status`: head 21,004,233 · lag 0 · 42 blocks/min · 5/5 workers. */
export function describeSnapshot(snapshot: Snapshot, perMinute: number): string {
  const { phase, head, workers, databaseAwayMs, waitingFor } = snapshot;
  const parts: string[] = phase === "working" ? [] : [phase];
  if (databaseAwayMs !== undefined) {
    parts.push(`waiting for the database for ${Math.floor(databaseAwayMs / 1_000)} s`);
  } else if (waitingFor !== undefined) parts.push(`waiting: ${waitingFor}`);
  if (head !== undefined) {
    parts.push(`head ${count(head.chain)}`);
    // Blocks of a range ahead of the head that was last seen are no negative lag.
    if (head.stored !== undefined) parts.push(`lag ${count(Math.max(0, head.chain - head.stored))}`);
  }
  parts.push(`${count(perMinute)} blocks/min`, `${workers.up}/${workers.wanted} workers`);
  return parts.join(" · ");
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
