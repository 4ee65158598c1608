import type { AnyDoing } from "../../child/doing.js";
import type { LockWait } from "../../db/lock-waits.js";
import type { UnsettledAlert } from "../../queue/alerts.js";
import type { FailingHead } from "../../queue/failing-heads.js";

/** What rules look at: what the leader reads every two seconds, and what it keeps of it. */
export interface Seen {
  isPaused: boolean;
  /** Whether the head is followed: new blocks are enqueued by themselves. */
  follows: boolean;
  /** Jobs that are due and not claimed, counted up to a bound. */
  waiting: number;
  waitingIsAtLeast: boolean;
  /** How long those that are next have waited, the longest. */
  waitingSeconds: number | null;
  /** A range is open: somebody asked for it, or the head was far away. */
  isRangeOpen: boolean;
  failed: number;
  failedIsAtLeast: boolean;
  /** The oldest of the claims. */
  oldestClaim: { block: number; worker: string; seconds: number } | null;
  /** Since a block was last completed, or since this leader looks. */
  sinceCompletionSeconds: number;
  head: { number: number; ageSeconds: number; seenAgeSeconds: number } | null;
  newest: { number: number; ageSeconds: number } | null;
  /** Seconds between two blocks of the chain, near the head; null: not known. */
  blockSeconds: number | null;
  /** Blocks above the newest stored one whose last attempt failed, the highest first. */
  failingHeads: FailingHead[];
  recent: Recent;
  processes: Process[];
  /** The leader's own endpoints. */
  endpoints: OwnEndpoint[];
  lockWait: LockWait | null;
  /** What is read now and then; undefined: not yet. */
  server: ServerSeen | undefined;
  disk: DiskSeen | undefined;
}

/** What happened lately. */
export interface Recent {
  windowSeconds: number;
  /** Blocks within the window. */
  completed: number;
  /** Failed attempts within the window, by class (processing_failures). */
  failures: Readonly<Record<string, number>>;
  /** Whether more jobs wait than at the beginning of the last minute. */
  isBacklogGrowing: boolean;
  /** Processes of daemons that died within the window. */
  deaths: number;
}

/** A process that its supervisor wrote of lately. */
export interface Process {
  workerId: string;
  role: string;
  state: string;
  hostname: string;
  version: string;
  doing: AnyDoing;
}

export interface OwnEndpoint {
  name: string;
  state: string;
  reason: string | null;
  aside: boolean;
  silentMs: number | null;
}

/** What PostgreSQL and the schema say of themselves. */
export interface ServerSeen {
  oldTransaction: string | null;
  /** Per cent. */
  notificationQueue: number;
  connections: { taken: number; most: number };
  schemaVersion: number | null;
  deepestReorg: { depth: number; forkBlock: number } | null;
  /** Days; null: never by blockmill. */
  backupDays: number | null;
  verificationDays: number | null;
}

export interface DiskSeen {
  bytes: number;
  /** That the database may grow to; null: not known. */
  capacity: number | null;
  bytesPerDay: number | null;
}

/** What one look of the leader reads. */
export interface Look {
  now: number;
  isPaused: boolean;
  follows: boolean;
  waiting: number;
  waitingSeconds: number | null;
  isRangeOpen: boolean;
  failed: number;
  oldestClaim: Seen["oldestClaim"];
  completed: number;
  lastCompletedAt: number | null;
  failures: Record<string, number>;
  lastFailure: number;
  head: (NonNullable<Seen["head"]> & { time: number; chainId: number }) | null;
  newest: Seen["newest"];
  failingHeads: FailingHead[];
  processes: (Omit<Process, "doing"> & { doing: unknown; supervisorId: string })[];
  lockWait: LockWait | null;
  alerts: UnsettledAlert[];
}
