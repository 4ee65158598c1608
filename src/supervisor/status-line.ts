import { count, plural } from "../wording.js";
import type { Snapshot } from "./snapshot.js";

/** A head that is older, or was not heard of for longer, is called old: nobody knows what came since. */
const staleMs = 60_000;

/** Of an alert's sentence. */
const mostAlert = 160;

/**
 * A snapshot in one line for `systemctl status`: head 21,004,233 · lag 0 · 42 blocks/min · 5/5 workers. What keeps it
 * from that comes first: a pause, a database or a node that is away. An old head has no lag: its age stands there.
 */
export function describeSnapshot(snapshot: Snapshot, perMinute: number): string {
  const { phase, head, workers, paused, failed, alert } = snapshot;
  const parts: string[] = phase === "working" ? [] : [phase];
  if (paused !== undefined) parts.push(paused === "" ? "paused" : `paused (${paused})`);
  parts.push(...waits(snapshot));
  if (head !== undefined) parts.push(...describeHead(head));
  parts.push(`${count(perMinute)} blocks/min`, `${workers.up}/${plural(workers.wanted, "worker")}`);
  if (failed !== undefined && failed.count > 0)
    parts.push(`${failed.atLeast ? "at least " : ""}${count(failed.count)} failed`);
  if (alert !== undefined)
    parts.push(`alert: ${alert.length > mostAlert ? `${alert.slice(0, mostAlert - 1)}…` : alert}`);
  return parts.join(" · ");
}

function waits({ databaseAwayMs, databaseSays, nodeAway, waitingFor }: Snapshot): string[] {
  if (databaseAwayMs !== undefined) {
    const why = databaseSays === undefined ? "" : `: ${databaseSays}`;
    return [`waiting for the database for ${Math.floor(databaseAwayMs / 1_000)} s${why}`];
  }
  if (nodeAway !== undefined) return [`waiting for a node: ${nodeAway}`];
  return waitingFor === undefined ? [] : [`waiting: ${waitingFor}`];
}

function describeHead({ chain, stored, ageMs }: NonNullable<Snapshot["head"]>): string[] {
  // Blocks of a range ahead of the head that was last seen are no negative lag.
  const lag = stored === undefined ? undefined : Math.max(0, chain - stored);
  if (ageMs >= staleMs) {
    const known = lag === undefined || lag === 0 ? [] : [`lag at least ${count(lag)}`];
    return [`head ${count(chain)} is ${age(ageMs)} old`, ...known];
  }
  return [`head ${count(chain)}`, ...(lag === undefined ? [] : [`lag ${count(lag)}`])];
}

/** In steps, so that the line does not change each second. */
function age(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 2) return `${Math.floor(ms / 10_000) * 10} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : plural(Math.floor(minutes / 1_440), "day");
}
