import type { ChildProcess } from "node:child_process";
import type { BlockRef } from "../block.js";
import type { ComputeMark } from "../child/compute-mark.js";
import type { DaemonView } from "../child/daemon-view.js";
import { type AnyDoing, readDoing } from "../child/doing.js";
import {
  type ChildSettings,
  type ChildState,
  type FromChild,
  protocol,
  type ToChild,
} from "../child/messages.js";
import type { Role } from "../child/roles.js";
import type { Series } from "../metrics/counts.js";

export interface ChildExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** What it said made it unable to work at all. */
  fatal: string | undefined;
  livedMs: number;
  /** The block that it computed when it ended; none; `unknown`: it could not say. */
  computing: number | "none" | "unknown";
  /** The endpoint whose answers it read for that: its place in rpc.urls. */
  endpoint: number | undefined;
}

/** A live child of the supervisor, as the supervisor sees it. */
export interface Child {
  readonly role: Role;
  readonly workerId: string;
  readonly pid: number | undefined;
  readonly state: ChildState;
  readonly doing: AnyDoing;
  /** Its place among those of its role, from 0. */
  readonly rank: number;
  /** What it last said of its gauges. */
  readonly gauges: Series;
  /** Whether it was heard at all: before that it loads its code. */
  readonly hasLoaded: boolean;
  /** Milliseconds since it was started. */
  livedMs(): number;
  /** Milliseconds since it was last heard, or since it was started. */
  silentMs(): number;
  send(message: ToChild): void;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it began to work, or to wait for what is away. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone. */
  readonly exited: Promise<ChildExit>;
}

export interface StartOptions {
  role: Role;
  settings: ChildSettings;
  /** What it computes, if that can be known. It is closed when the child is gone. */
  mark: ComputeMark | undefined;
  /** The host's lease holds for so long from now; not above 0: it does not. */
  leaseForMs: number;
  /** Hears of the blocks that this child announces. */
  onAnnounced(block: BlockRef): void;
  /** Hears what it counted since it last said so. */
  onCounted(counted: Series): void;
  /** How the daemon is, for a child that asks. */
  view(): DaemonView;
}

/** Gives a process that was loaded its settings: the child begins. A fork that failed counts as an exit. */
export function startChild(
  child: ChildProcess,
  { role, settings, mark, leaseForMs, onAnnounced, onCounted, view }: StartOptions,
): Child {
  const started = performance.now();
  let heard: number | undefined;
  let state: ChildState = "starting";
  let doing: AnyDoing = {};
  let gauges: Series = {};
  let fatal: string | undefined;
  const send = (message: ToChild): void => {
    if (child.connected) child.send(message, () => {});
  };
  const exited = new Promise<ChildExit>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null): void => {
      const computing = mark === undefined ? "unknown" : (mark.read() ?? "none");
      const endpoint = mark?.readEndpoint();
      mark?.close();
      resolve({ code, signal, fatal, livedMs: performance.now() - started, computing, endpoint });
    };
    child.once("exit", end);
    if (child.pid === undefined) end(null, null);
  });
  let beReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    beReady = resolve;
  });
  child.on("message", (message: FromChild) => {
    heard = performance.now();
    if (message.type === "heartbeat") {
      state = message.state;
      doing = readDoing(role, message.doing);
      gauges = message.gauges ?? {};
      if (message.counted !== undefined) onCounted(message.counted);
    } else if (message.type === "look") send({ type: "view", look: message.look, view: view() });
    else if (message.type === "announced") onAnnounced({ number: message.number, hash: message.hash });
    else if (message.type === "ready") beReady();
    else if (message.type === "fatal") fatal = message.message;
  });
  // First, so that a child that starts under a lease begins with work, and is ready when it does.
  if (leaseForMs > 0) send({ type: "lease", validForMs: leaseForMs });
  send({ type: "start", protocol, settings });
  return {
    role,
    workerId: settings.workerId,
    pid: child.pid,
    get state() {
      return state;
    },
    get doing() {
      return doing;
    },
    rank: settings.rank ?? 0,
    get gauges() {
      return gauges;
    },
    get hasLoaded() {
      return heard !== undefined;
    },
    livedMs: () => performance.now() - started,
    silentMs: () => performance.now() - (heard ?? started),
    send,
    kill: (signal) => {
      child.kill(signal);
    },
    ready,
    exited,
  };
}
