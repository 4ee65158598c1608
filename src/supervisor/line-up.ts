import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { BlockSpan } from "../block.js";
import type { DaemonView } from "../child/daemon-view.js";
import { type Role, roleRow, wantedRoles } from "../child/roles.js";
import type { Logger } from "../logger.js";
import type { Series } from "../metrics/counts.js";
import { connectionsOf } from "./allot-connections.js";
import { type Child, type ChildExit, startChild } from "./child.js";
import type { Installation } from "./installation.js";
import type { LoadedAhead } from "./load-ahead.js";
import { computeFd, isLoaded, type LoadedChild, loadChild } from "./load-child.js";
import { type Generation, Place } from "./place.js";
import { replace, roll, type Verbs } from "./roll.js";
import { StartGate } from "./start-gate.js";
import type { StartLimit } from "./start-limit.js";
import { Suspects } from "./suspects.js";

export interface LineUpOptions {
  supervisorId: string;
  /** The process of its first worker, if that was loaded before. */
  ahead: LoadedAhead | undefined;
  only: BlockSpan | undefined;
  outputFd: 1 | 2;
  startLimit: StartLimit;
  log: Logger;
  /** Where to fork from when a generation's release is gone: a package's upgrade takes it away. */
  newestInstallation(): Installation;
  /** How long the host's lease holds from now on. */
  leaseForMs(): number;
  /** Aborts when no child is to be replaced any more. */
  draining: AbortSignal;
  /** Clears up after a child that ended; `asked`: it was to end. */
  onExit(child: Child, exit: ChildExit, asked: boolean): Promise<void>;
  /** A child found that no work is possible at all. */
  onFatal(message: string): void;
  /** ChildSettings.runtimeDirectory */
  runtimeDirectory: string | undefined;
  /** Hears what a child counted since it last said so. */
  onCounted(counted: Series): void;
  /** How the daemon is, for a child that asks. */
  view(): DaemonView;
}

/** The children of a supervisor, each in its place. */
export class LineUp {
  readonly children: ReadonlySet<Child>;
  readonly #options: LineUpOptions;
  readonly #children = new Set<Child>();
  readonly #places = new Set<Place>();
  readonly #gate = new StartGate(availableParallelism());
  readonly #suspects = new Suspects();
  #ahead: LoadedAhead | undefined;
  #forked = 0;
  #completedByGone = 0;

  constructor(options: LineUpOptions) {
    this.children = this.#children;
    this.#options = options;
    this.#ahead = options.ahead;
  }

  /** Places of workers, without those that are being given up. */
  workers(): number {
    return this.#placesOf("worker").length;
  }

  /** Blocks that the workers completed since the start, those of workers that are gone included. */
  completed(): number {
    return [...this.#children].reduce(
      (sum, { doing }) => sum + (doing.completed ?? 0),
      this.#completedByGone,
    );
  }

  /**
   * Opens the places of a generation: one of each role, and so many workers. A worker that was loaded ahead comes
   * first, and the others when it has begun: they would only take its time for their own loading.
   */
  async fill(generation: Generation, workers: number): Promise<void> {
    if (this.#ahead !== undefined) await this.#open("worker", generation).tried.catch(() => {});
    const open = new Set(this.#placesOf("worker"));
    for (const role of rolesOf(generation, workers - open.size)) this.#open(role, generation);
    this.#tellShares();
  }

  /** Replaces all children by those of another generation, as `roll` does. */
  async rollTo(generation: Generation, workers: number): Promise<void> {
    const old = [...this.#places];
    try {
      await roll({ old, wanted: rolesOf(generation, workers), ...this.#verbsOf(generation) });
    } finally {
      this.#tellShares();
    }
  }

  /** Opens places for workers, or gives up the newest ones. Rejects when a new worker does not become ready. */
  async resize(workers: number, generation: Generation): Promise<void> {
    const places = this.#placesOf("worker");
    try {
      for (let i = places.length; i < workers; i += 1) await this.#openOnTrial("worker", generation);
    } finally {
      this.#tellShares();
    }
    await Promise.all(places.slice(workers).map((place) => place.retire()));
    this.#tellShares();
  }

  /** Replaces one worker by a new one, as `replace` does. */
  async recycle(child: Child, generation: Generation): Promise<void> {
    const place = this.#placesOf("worker").find((each) => each.child === child);
    if (place !== undefined) await replace(place, this.#verbsOf(generation));
  }

  /** Resolves when every place is empty. */
  async emptied(): Promise<void> {
    while (this.#places.size > 0) await Promise.all([...this.#places].map(({ ended }) => ended));
  }

  #placesOf(role: Role): Place[] {
    return [...this.#places].filter((place) => place.role === role && !place.isRetiring);
  }

  #open(role: Role, generation: Generation, { onTrial }: { onTrial: boolean } = { onTrial: false }): Place {
    const { draining, startLimit, onExit, onFatal } = this.#options;
    const place = new Place({
      role,
      generation,
      rank: this.#freeRank(role),
      onTrial,
      gate: this.#gate,
      limit: startLimit,
      draining,
      fork: (each) => this.#fork(each),
      onExit: async (child, exit, asked) => {
        this.#children.delete(child);
        this.#completedByGone += child.doing.completed ?? 0;
        // Before its jobs are anybody else's.
        if (!asked && exit.endpoint !== undefined) this.#suspect(exit.endpoint);
        await onExit(child, exit, asked);
      },
      onFatal,
    });
    this.#places.add(place);
    void place.ended.finally(() => this.#places.delete(place));
    return place;
  }

  /** Throws, and has closed the place again, when its first child is not ready soon. */
  async #openOnTrial(role: Role, generation: Generation): Promise<void> {
    const place = this.#open(role, generation, { onTrial: true });
    try {
      await place.tried;
    } catch (error) {
      await place.retire();
      throw error;
    }
  }

  #fork(place: Place): Child {
    const { only, leaseForMs, log, onCounted, runtimeDirectory, view } = this.#options;
    const { config, allotment } = place.generation;
    const { workerId, process, mark } = this.#load(place);
    const child = startChild(process, {
      role: place.role,
      settings: {
        config,
        workerId,
        pool: allotment[place.role],
        rpcShare: this.#share(),
        rank: place.rank,
        ...(mark === undefined ? {} : { computeFd }),
        suspects: this.#suspects.now(),
        ...(only === undefined ? {} : { only }),
        ...(runtimeDirectory === undefined ? {} : { runtimeDirectory }),
      },
      mark,
      leaseForMs: leaseForMs(),
      onAnnounced: (block) => this.#firstWorker()?.child?.send({ type: "announced", ...block }),
      onCounted,
      view,
    });
    this.#children.add(child);
    const { role, pid: childPid } = child;
    log.debug({ worker: workerId, role, childPid }, "a child starts");
    void child.ready.then(() => log.debug({ worker: workerId, role, childPid }, "a child is ready"));
    return child;
  }

  #load({ role, generation }: Place): LoadedChild {
    const { supervisorId, outputFd, newestInstallation } = this.#options;
    this.#forked += 1;
    if (this.#ahead !== undefined && role === "worker") {
      const loaded = this.#ahead;
      this.#ahead = undefined;
      if (isLoaded(loaded.process)) return loaded;
      loaded.mark?.close();
      // It died with the first number.
      this.#forked += 1;
    }
    const workerId = `${supervisorId}/${roleRow(role).letter}${this.#forked}`;
    const isThere = existsSync(generation.installation.code);
    const installation = isThere ? generation.installation : newestInstallation();
    return loadChild({ role, workerId, installation, outputFd });
  }

  #verbsOf(generation: Generation): Verbs<Place> {
    return {
      open: (role) => this.#openOnTrial(role, generation),
      reopen: (place) => this.#open(place.role, place.generation),
      retire: (place) => place.retire(),
      fits: (role) => this.#fits(role, generation),
    };
  }

  /** Whether one more child of this generation fits into the connections that it may open. */
  #fits(role: Role, { config, allotment }: Generation): boolean {
    const { pool_size, max_overflow } = config.database;
    const held = [...this.#places].map((place) => connectionsOf(place.role, place.generation.allotment));
    const all = [...held, connectionsOf("supervisor", allotment), connectionsOf(role, allotment)];
    return all.reduce((sum, each) => sum + each, 0) <= pool_size + max_overflow;
  }

  #freeRank(role: Role): number {
    const taken = new Set(this.#placesOf(role).map(({ rank }) => rank));
    let rank = 0;
    while (taken.has(rank)) rank += 1;
    return rank;
  }

  /** Has the workers put an endpoint aside at whose answer one of them died: it may kill the next one as well. */
  #suspect(endpoint: number): void {
    this.#suspects.add(endpoint);
    for (const child of this.#children) child.send({ type: "suspect", endpoint });
  }

  /** Which looks for work before the others when all are woken. */
  #firstWorker(): Place | undefined {
    return this.#placesOf("worker").find(({ rank }) => rank === 0);
  }

  /** Of the endpoints' limits: all that ask them have it alike. */
  #share(): number {
    const asking = [...this.#places].filter(
      ({ role, isRetiring }) => roleRow(role).asksEndpoints && !isRetiring,
    );
    return 1 / Math.max(1, asking.length);
  }

  #tellShares(): void {
    const rpcShare = this.#share();
    for (const child of this.#children) child.send({ type: "share", rpcShare });
  }
}

/** Who is to be there: one of each role, and so many workers. */
function rolesOf({ config }: Generation, workers: number): Role[] {
  return wantedRoles(config).flatMap((role) =>
    new Array<Role>(roleRow(role).places === "workers" ? Math.max(0, workers) : 1).fill(role),
  );
}
