// What each address under /api answers, as JSON: times as ISO 8601 in UTC, spans in seconds, hashes as 0x text. A field
// may come to an answer in any release; none goes, or changes its meaning, before the next major one.

import type { ChildView, DaemonView } from "../child/daemon-view.js";
import type { PastAlert } from "../queue/alerts.js";
import type { Mark } from "../queue/marks.js";
import type { BoundedCount } from "../queue/read-depth.js";
import type { LatestFailure } from "../queue/read-failures.js";
import type { OpenRange } from "../queue/read-open-ranges.js";
import type { PastReorg } from "../queue/read-reorgs.js";
import type { Bounds, Strip } from "../queue/read-strip.js";
import type { Sample } from "../queue/samples.js";
import type { FailureGroup } from "../status/group-failures.js";
import type { BlockLife } from "../status/read-block-life.js";
import type { Status } from "../status/read-status.js";
import type { Sentence } from "../status/sentence.js";
import type { BlockState } from "../status/why-block.js";
import type { Deaths, EndpointUse } from "./endpoint-use.js";

/** /api/status, and each event `status` of /api/events. */
export interface StatusAnswer {
  /** How things stand, in a sentence or two. */
  sentence: string;
  /** How urgent that is. */
  level: Sentence["level"];
  /** This daemon, at this moment. */
  daemon: Omit<DaemonView, "counted" | "gauges" | "children"> & {
    children: Omit<ChildView, "gauges">[];
    /** What it has asked of endpoints since its start. */
    uses: EndpointUse[];
    deaths: Deaths[];
  };
  /** The schema, which other daemons may share: what `blockmill status --json` prints. Null: it was never read. */
  schema: Status | null;
  /** Seconds since the schema was read; null: never. */
  schemaAgeSeconds: number | null;
  /** Why it could not be read this time; null: it could. Then `schema` is as old as it says. */
  schemaError: string | null;
  /** How far the chain is stored; null: it was never read. */
  progress: Progress | null;
}

export interface Progress {
  finalizedBlock: number | null;
  /** The newest stored block below which nothing that was asked for is missing, and its age in seconds. */
  contiguousBlock: number | null;
  lagSeconds: number | null;
}

/** /api/blocks/N */
export interface BlockAnswer extends BlockLife {
  /** Why it is where it is: the state, and the sentence of `blockmill why`. */
  why: BlockState;
  sentence: string;
}

/** /api/chain?from=N&to=N&parts=N: what the blocks are, part by part. Without from and to all of the chain. */
export interface ChainAnswer {
  /** Of all blocks that anything is known of. */
  bounds: Bounds | null;
  strip: Strip | null;
}

/** /api/history?span=15m, 6h or 7d: how work went, for charts. */
export interface HistoryAnswer {
  /** In seconds since 1970, by this host's clock. */
  now: number;
  spanSeconds: number;
  /** Seconds of each sample. */
  step: number;
  samples: Sample[];
  marks: Mark[];
}

/** /api/failures/groups: the failed attempts of the last day by what they have in common, the 100 that failed most. */
export interface FailureGroupsAnswer {
  withinSeconds: number;
  groups: FailureGroup[];
}

/** /api/reorgs: the newest 20. */
export interface ReorgsAnswer {
  reorgs: PastReorg[];
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

/** /api/alerts?limit=N (50 unless stated, 500 at most) */
export interface AlertsAnswer {
  /** Those that are open, the oldest first. */
  alerts: Status["alerts"];
  /** Those of the last seven days, and those that are open, the newest first: what `blockmill alerts --history --json` prints. */
  history: PastAlert[];
}

/** POST /api/pause, /api/resume, /api/blocks/N/retry. */
export interface ChangeAnswer {
  /** Whether anything is different now. */
  changed: boolean;
}
