// What each address under /api answers, as JSON: times as ISO 8601 in UTC, spans in seconds, hashes as 0x text. A field
// may come to an answer in any release; none goes, or changes its meaning, before the next major one.

import type { ChildView, DaemonView } from "../child/daemon-view.js";
import type { BoundedCount } from "../queue/read-depth.js";
import type { LatestFailure } from "../queue/read-failures.js";
import type { OpenRange } from "../queue/read-open-ranges.js";
import type { Status } from "../status/read-status.js";

/** /api/status, and each event `status` of /api/events. */
export interface StatusAnswer {
  /** How things stand, in a sentence or two. */
  sentence: string;
  /** This daemon, at this moment. */
  daemon: Omit<DaemonView, "counted" | "gauges" | "children"> & { children: Omit<ChildView, "gauges">[] };
  /** The schema, which other daemons may share: what `blockmill status --json` prints. Null: it was never read. */
  schema: Status | null;
  /** Seconds since the schema was read; null: never. */
  schemaAgeSeconds: number | null;
  /** Why it could not be read this time; null: it could. Then `schema` is as old as it says. */
  schemaError: string | null;
}

/** /api/ranges */
export interface RangesAnswer {
  /** How many are open, counted up to a bound. */
  total: BoundedCount;
  /** In the order of their turn, at most 500. */
  ranges: OpenRange[];
}

/** /api/failures?limit=N (50 unless stated, 500 at most): the newest first. */
export interface FailuresAnswer {
  failures: LatestFailure[];
}

/** /api/endpoints */
export interface EndpointsAnswer {
  endpoints: Status["endpoints"];
}

/** /api/workers: the processes of all daemons that share the schema. */
export interface WorkersAnswer {
  /** The orchestrator that leads; null: none does. */
  leader: string | null;
  workers: Status["workers"];
}

/** /api/alerts: the oldest first. */
export interface AlertsAnswer {
  alerts: Status["alerts"];
}

/** POST /api/pause, /api/resume, /api/blocks/N/retry. */
export interface ChangeAnswer {
  /** Whether anything is different now. */
  changed: boolean;
}
