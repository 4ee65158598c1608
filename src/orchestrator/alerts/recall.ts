import { type AnyDoing, readAnyDoing } from "../../child/doing.js";
import { mostFailed, mostWaiting } from "./look.js";
import type { DiskSeen, Look, OwnEndpoint, Process, Recent, Seen, ServerSeen } from "./seen.js";

/** A backlog is compared with that of so long ago. */
const backlogSeconds = 60;
/** The chain's block time is measured over so long, at least; heads of less tell nothing. */
const headSeconds = { least: 20, most: 3_600 };

interface Sample {
  at: number;
  completed: number;
  failures: Readonly<Record<string, number>>;
  waiting: number;
}

/** What a leader keeps of its looks: what happened lately, and since when nothing did. */
export class Recall {
  #samples: Sample[] = [];
  readonly #deaths: { at: number; count: number }[] = [];
  /** By supervisor: how many of its processes had died at the last look. */
  readonly #deathsOf = new Map<string, number>();
  #heads: { number: number; time: number }[] = [];
  #beganAt: number | undefined;
  #completedAt = Number.NEGATIVE_INFINITY;
  #lastFailure: number | null = null;
  #lookedAt: number | undefined;
  readonly #windowSeconds: number;

  /** Failures, completions and deaths count for `windowSeconds`. */
  constructor(windowSeconds: number) {
    this.#windowSeconds = windowSeconds;
  }

  /** From when on the next look counts completions, in seconds since 1970, and failures, by their id. */
  get since(): { completedSince: number | undefined; failedSince: number | null } {
    return { completedSince: this.#lookedAt, failedSince: this.#lastFailure };
  }

  take(
    look: Look,
    now: {
      endpoints: OwnEndpoint[];
      server: ServerSeen | undefined;
      disk: DiskSeen | undefined;
    },
  ): Seen {
    this.#beganAt ??= look.now;
    this.#lookedAt = look.now;
    this.#lastFailure = look.lastFailure;
    if (look.lastCompletedAt !== null) this.#completedAt = Math.max(this.#completedAt, look.lastCompletedAt);
    if (look.completed > 0) this.#completedAt = Math.max(this.#completedAt, look.lastCompletedAt ?? look.now);
    const processes = look.processes.map(({ supervisorId, doing, ...rest }): Process => {
      const read = readAnyDoing(rest.role, doing);
      if (rest.role === "supervisor") this.#countDeaths(supervisorId, read, look.now);
      return { ...rest, doing: read };
    });
    const {
      waiting,
      failed,
      isPaused,
      follows,
      waitingSeconds,
      isRangeOpen,
      oldestClaim,
      newest,
      failingHeads,
    } = look;
    return {
      isPaused,
      follows,
      waiting,
      waitingIsAtLeast: waiting >= mostWaiting,
      waitingSeconds,
      isRangeOpen,
      failed,
      failedIsAtLeast: failed >= mostFailed,
      oldestClaim,
      sinceCompletionSeconds: look.now - Math.max(this.#completedAt, this.#beganAt),
      head: look.head,
      newest,
      blockSeconds: this.#blockSeconds(look),
      failingHeads,
      recent: this.#recent(look),
      processes,
      lockWait: look.lockWait,
      ...now,
    };
  }

  #recent({ now, completed, failures, waiting }: Look): Recent {
    this.#samples.push({ at: now, completed, failures, waiting });
    this.#samples = this.#samples.filter(
      ({ at }) => at > now - Math.max(this.#windowSeconds, backlogSeconds),
    );
    const recent = this.#samples.filter(({ at }) => at > now - this.#windowSeconds);
    const before = this.#samples.find(({ at }) => at > now - backlogSeconds);
    const sums: Record<string, number> = {};
    for (const sample of recent)
      for (const [name, count] of Object.entries(sample.failures)) sums[name] = (sums[name] ?? 0) + count;
    return {
      windowSeconds: this.#windowSeconds,
      completed: recent.reduce((sum, sample) => sum + sample.completed, 0),
      failures: sums,
      isBacklogGrowing: waiting >= (before?.waiting ?? waiting),
      deaths: this.#deaths.reduce(
        (sum, { at, count }) => (at > now - this.#windowSeconds ? sum + count : sum),
        0,
      ),
    };
  }

  #countDeaths(supervisorId: string, { deaths = 0 }: AnyDoing, now: number): void {
    const before = this.#deathsOf.get(supervisorId);
    this.#deathsOf.set(supervisorId, deaths);
    // What an earlier leader saw already is not new.
    if (before !== undefined && deaths > before) this.#deaths.push({ at: now, count: deaths - before });
    while (this.#deaths[0] !== undefined && this.#deaths[0].at <= now - this.#windowSeconds)
      this.#deaths.shift();
  }

  #blockSeconds({ head }: Look): number | null {
    const last = this.#heads.at(-1);
    if (head !== null && head.number !== last?.number) {
      if (last !== undefined && head.number < last.number) this.#heads = [];
      this.#heads.push({ number: head.number, time: head.time });
      this.#heads = this.#heads.filter(({ time }) => time > head.time - headSeconds.most);
    }
    const [first] = this.#heads;
    const newest = this.#heads.at(-1);
    if (first === undefined || newest === undefined || newest.number === first.number) return null;
    if (newest.time - first.time < headSeconds.least) return null;
    return (newest.time - first.time) / (newest.number - first.number);
  }
}
