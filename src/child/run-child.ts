import type { BlockRef } from "../block.js";
import { logStyle } from "../config/log-style.js";
import { secretsOf } from "../config/secrets.js";
import { describeError, dispositionOf } from "../errors.js";
import { createLogger, type Logger } from "../logger.js";
import { Counts, type Series } from "../metrics/counts.js";
import { createRedact, type Redact, redactTexts } from "../redact.js";
import type { DaemonView } from "./daemon-view.js";
import type { Doing } from "./doing.js";
import { measureProcess } from "./measure-process.js";
import {
  acceptedProtocols,
  type ChildSettings,
  type ChildState,
  type FromChild,
  heartbeatMs,
  type ToChild,
} from "./messages.js";
import type { Role } from "./roles.js";

/** What a child's work gets from its process. */
export interface ChildContext<R extends Role> {
  settings: ChildSettings;
  log: Logger;
  redact: Redact;
  /** Aborts when the child is to finish what it holds and claim no more. */
  draining: AbortSignal;
  /** Aborts when the child is to give back what it holds and end now. */
  stopping: AbortSignal;
  /** Whether the host's lease holds at this moment; and a wait until it does, or until draining. */
  lease: { holds(): boolean; wait(): Promise<void> };
  /** What the next heartbeat says. */
  report(state: ChildState, doing?: Doing<R>): void;
  /** What every heartbeat tells beside that. */
  gauge(measure: () => Doing<R>): void;
  /** Calls `heard` whenever the supervisor has notified its pulse channel. */
  onPulse(heard: () => void): void;
  /** What this process counts: the supervisor adds it to the daemon's. */
  counts: Counts;
  /** What every heartbeat tells of the gauges beside that. */
  gauges(measure: () => Series): void;
  /** How the daemon is at this moment. Rejects when the supervisor does not answer in time. */
  look(): Promise<DaemonView>;
  /** Tells this host's workers of a block that is about to be enqueued. */
  announce(block: BlockRef): void;
  /** Calls `heard` with each of them. */
  onAnnounced(heard: (block: BlockRef) => void): void;
  /** Calls `apply` whenever the child's share of the endpoints' limits changes. */
  onShare(apply: (rpcShare: number) => void): void;
  /** Calls `heard` with each endpoint, its place in rpc.urls, at whose answer a worker of this host died. */
  onSuspect(heard: (endpoint: number) => void): void;
}

/** How long a supervisor may take to say how the daemon is. */
const lookWithinMs = 2_000;

/** How long a stopping child may take to give its claims back. After it the lease's fall does that. */
const stopWithinMs = 5_000;

/**
 * The life of a forked child: waits for its settings, runs `work`, tells the supervisor that it lives,
 * and exits when the work is done. When the supervisor goes away it gives back what it holds and ends.
 */
export function runChild<R extends Role>(role: R, work: (context: ChildContext<R>) => Promise<void>): void {
  const send = (message: FromChild<R>): void => {
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
  const draining = new AbortController();
  const stopping = new AbortController();
  const lease = createLease(draining.signal);
  const looks = createLooks((look) => send({ type: "look", look }));
  const stop = (): void => {
    draining.abort();
    stopping.abort();
    setTimeout(() => process.exit(1), stopWithinMs).unref();
  };

  let started = false;
  let pulseSent = (): void => {};
  let applyShare = (_share: number): void => {};
  let hearOf = (_block: BlockRef): void => {};
  let suspect = (_endpoint: number): void => {};
  process.on("message", (message: ToChild) => {
    if (message.type === "start" && !started) {
      started = true;
      if (acceptedProtocols.includes(message.protocol)) void live(message.settings);
      else refuse(message.protocol);
    } else if (message.type === "lease") {
      lease.renew(message.validForMs);
      if (message.pulse) pulseSent();
    } else if (message.type === "share") applyShare(message.rpcShare);
    else if (message.type === "suspect") suspect(message.endpoint);
    else if (message.type === "announced") hearOf({ number: message.number, hash: message.hash });
    else if (message.type === "view") looks.answered(message.look, message.view);
    else if (message.type === "drain") draining.abort();
    else if (message.type === "stop") stop();
  });
  process.on("disconnect", stop);
  // A terminal sends its signals to the whole process group; the supervisor decides what they mean.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});

  const refuse = (spoken: number): void => {
    const versions = acceptedProtocols.join(", ");
    const message = `this release works under supervisors of protocol ${versions}, not ${spoken}: restart the daemon`;
    send({ type: "fatal", message });
    // Let the message leave before the process does.
    setTimeout(() => process.exit(1), 50);
  };

  const live = async (settings: ChildSettings): Promise<void> => {
    const redact = createRedact(secretsOf(settings.config));
    const log = createLogger({
      component: role,
      level: settings.config.log.level as "info",
      redact,
      output: process.stdout,
      ...logStyle(settings.config.log, 1),
    });
    let said: { state: ChildState; doing: Doing<R> } = { state: "starting", doing: {} };
    let measure = (): Doing<R> => ({});
    let measureGauges = (): Series => ({});
    const counts = new Counts();
    const cores = watchCores();
    const itself = measureProcess(`${role}-${settings.rank ?? 0}`);
    const beat = (): void => {
      const memoryMb = Math.round(process.memoryUsage.rss() / 1_048_576);
      const { cpuSeconds, gauges } = itself();
      counts.add("blockmill_process_cpu_seconds_total", [role], cpuSeconds);
      const counted = counts.take();
      send({
        type: "heartbeat",
        state: said.state,
        // Whatever an endpoint answered may be among it.
        doing: redactTexts({ ...said.doing, ...measure(), memoryMb, cores: cores() }, redact),
        gauges: { ...gauges, ...measureGauges() },
        ...(counted === undefined ? {} : { counted }),
      });
    };
    setInterval(beat, heartbeatMs).unref();
    beat();
    let ready = false;
    const report: ChildContext<R>["report"] = (state, doing) => {
      said = { state, doing: doing ?? said.doing };
      if (ready) return;
      ready = true;
      send({ type: "ready" });
      beat();
    };
    try {
      await work({
        settings,
        log: log.child({ worker: settings.workerId }),
        redact,
        draining: draining.signal,
        stopping: stopping.signal,
        lease: {
          holds: lease.holds,
          wait() {
            if (!lease.holds()) report("waiting");
            return lease.wait();
          },
        },
        report,
        gauge(wanted) {
          measure = wanted;
        },
        counts,
        gauges(wanted) {
          measureGauges = wanted;
        },
        look: looks.look,
        onPulse(heard) {
          pulseSent = heard;
        },
        announce: ({ number, hash }) => send({ type: "announced", number, hash }),
        onAnnounced(heard) {
          hearOf = heard;
        },
        onSuspect(heard) {
          suspect = heard;
          for (const endpoint of settings.suspects ?? []) heard(endpoint);
        },
        onShare(apply) {
          applyShare = apply;
        },
      });
      // What was counted since the last one.
      beat();
      process.exit(0);
    } catch (error) {
      const message = redact(describeError(error));
      log.fatal({ err: error, worker: settings.workerId }, message);
      if (dispositionOf(error) === "fatal-process") send({ type: "fatal", message });
      // Let the message leave before the process does.
      setTimeout(() => process.exit(1), 50);
    }
  };
}

/** Questions to the supervisor that wait for their answers. `ask` sends one of this number. */
function createLooks(ask: (look: number) => void) {
  const waiting = new Map<number, (view: DaemonView) => void>();
  let last = 0;
  return {
    look(): Promise<DaemonView> {
      last += 1;
      const look = last;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(look);
          reject(new Error(`the supervisor did not answer within ${lookWithinMs / 1_000} s`));
        }, lookWithinMs);
        waiting.set(look, (view) => {
          clearTimeout(timer);
          resolve(view);
        });
        ask(look);
      });
    },
    answered(look: number, view: DaemonView): void {
      waiting.get(look)?.(view);
      waiting.delete(look);
    },
  };
}

/** A function that returns how many cores this process used since it was last called. */
function watchCores(): () => number {
  let before = { at: performance.now(), used: process.cpuUsage() };
  return () => {
    const now = { at: performance.now(), used: process.cpuUsage() };
    const usedMs = (now.used.user + now.used.system - before.used.user - before.used.system) / 1_000;
    const cores = usedMs / Math.max(1, now.at - before.at);
    before = now;
    return Math.round(cores * 100) / 100;
  };
}

/** The host's lease as a child knows it: the supervisor's word, which ages. */
function createLease(draining: AbortSignal) {
  let until = 0;
  let waiters: (() => void)[] = [];
  const wake = (): void => {
    const woken = waiters;
    waiters = [];
    for (const each of woken) each();
  };
  draining.addEventListener("abort", wake);
  return {
    renew(validForMs: number): void {
      until = performance.now() + validForMs;
      wake();
    },
    holds: () => performance.now() < until,
    wait(): Promise<void> {
      if (performance.now() < until || draining.aborted) return Promise.resolve();
      return new Promise((resolve) => waiters.push(resolve));
    },
  };
}
