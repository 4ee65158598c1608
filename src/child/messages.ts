// What a supervisor and its children tell each other. Messages are told apart by `type`; a process
// ignores a type that it does not know, so that two versions can run beside each other.

import type { BlockRef, BlockSpan } from "../block.js";
import type { Config } from "../config/schema.js";
import type { Series } from "../metrics/counts.js";
import type { DaemonView } from "./daemon-view.js";
import type { Doing } from "./doing.js";
import type { Role } from "./roles.js";

/** What a child is started with. It comes over IPC and never through argv or the environment, which others can read. */
export interface ChildSettings {
  config: Config;
  /** The id of this one life: what processing_jobs.worker_id and pg_stat_activity show. */
  workerId: string;
  /** Connections of its pool, beside the one that it listens on. */
  pool: { min: number; max: number; looks?: boolean };
  /** This child's share of the endpoints' limits, which hold for the daemon as a whole: above 0, at most 1. */
  rpcShare: number;
  /** Its place among the workers of its host, from 0: how soon it looks when all are woken at once. */
  rank?: number;
  /** An open file, inherited, for the mark of the block that it computes (compute-mark.ts). */
  computeFd?: number;
  /** Claim only these blocks, inclusive. */
  only?: BlockSpan;
  /** Places in rpc.urls of endpoints at whose answers a worker of this host died a moment ago. */
  suspects?: readonly number[];
  /** The service's own folder, gone when it ends; absent: no service manager made one. */
  runtimeDirectory?: string;
}

/**
 * The version of these messages. A reload starts children of a newer release under a supervisor that still
 * runs the old one: raise it only for a change that the other side cannot live with.
 */
export const protocol = 1;
/** The supervisors that a child of this release works under. */
export const acceptedProtocols: readonly number[] = [protocol];

export type ToChild =
  | { type: "start"; protocol: number; settings: ChildSettings }
  /**
   * The host's lease holds for so long from now. Without one a worker claims nothing. `pulse`: this
   * supervisor's pulse channel was notified just before.
   */
  | { type: "lease"; validForMs: number; pulse?: boolean }
  /** This child's share of the endpoints' limits, from now on (ChildSettings). */
  | { type: "share"; rpcShare: number }
  /** A worker of this host died while it read an answer of this endpoint: its place in rpc.urls. */
  | { type: "suspect"; endpoint: number }
  /** The leading orchestrator of this host was told of a block, and is about to enqueue it. */
  | ({ type: "announced" } & BlockRef)
  /** The answer to the `look` of this number. */
  | { type: "view"; look: number; view: DaemonView }
  /** Finish what is claimed, claim no more, then exit. */
  | { type: "drain" }
  /** Give claims back and exit now. */
  | { type: "stop" };

export type FromChild<R extends Role = Role> =
  /** It works, or waits for what is away: its predecessor may go. */
  | { type: "ready" }
  /** `counted`: since the last heartbeat. `gauges`: at this moment. */
  | { type: "heartbeat"; state: ChildState; doing: Doing<R>; counted?: Series; gauges?: Series }
  /** It asks how the daemon is. */
  | { type: "look"; look: number }
  /** A block that is about to be enqueued: for the worker that will be given it. */
  | ({ type: "announced" } & BlockRef)
  /** It cannot work at all; the supervisor ends with exit code 78. */
  | { type: "fatal"; message: string };

export type ChildState = "starting" | "idle" | "working" | "waiting" | "draining" | "leading" | "following";

/** Milliseconds between two heartbeats of a child. */
export const heartbeatMs = 1_000;
