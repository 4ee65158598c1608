// What became of each block, told by the effects alone, in the order of the locks that they were made under.
// It knows the rules of the queue, and none of the program's code.

import { type Effect, personName } from "./effects.js";

/** Something that must never happen, in words. */
export interface Finding {
  block: number | null;
  what: string;
  /** What else was seen of it, for whoever looks for the cause. */
  detail?: string;
}

interface BlockState {
  status: string | undefined;
  /** Who holds it; undefined: nobody, or a person has meddled. */
  token: { worker: string; claims: number } | undefined;
  /** The highest number of a claim, per job: a job that was archived and asked for again counts anew. */
  jobId: number | undefined;
  claims: number;
  /** The transaction that completed it, until its rows come. */
  completedIn: string | undefined;
  isStored: boolean;
}

/** Where counters end: from there on started_at alone tells claims apart. */
const mostClaims = 2 ** 31 - 1;

/** Reads effects and keeps what was wrong with them. */
export class History {
  readonly #blocks = new Map<number, BlockState>();
  readonly #doubled: Finding[] = [];
  #lastId = 0;
  /** The last effect that was read. */
  get lastId(): number {
    return this.#lastId;
  }

  counts = { claims: 0, completions: 0, stored: 0, removed: 0 };

  /** Blocks that the effects since the last call tell of. */
  read(effects: readonly Effect[]): Set<number> {
    const seen = new Set<number>();
    for (const effect of effects) {
      this.#lastId = effect.id;
      if (effect.block === null) {
        for (const state of this.#blocks.values()) state.isStored = false;
        continue;
      }
      seen.add(effect.block);
      this.#take(effect, effect.block, this.#stateOf(effect.block));
    }
    return seen;
  }

  /** What happened twice, or by who had no right to it. */
  get doubled(): readonly Finding[] {
    return this.#doubled;
  }

  /** Jobs that are completed although the transaction that says so wrote no rows; ask at rest. */
  completedWithoutRows(): Finding[] {
    return [...this.#blocks].flatMap(([block, { completedIn }]) =>
      completedIn === undefined
        ? []
        : [{ block, what: `completed in transaction ${completedIn}, which wrote no rows` }],
    );
  }

  #stateOf(block: number): BlockState {
    const known = this.#blocks.get(block);
    if (known !== undefined) return known;
    const state: BlockState = {
      status: undefined,
      token: undefined,
      jobId: undefined,
      claims: 0,
      completedIn: undefined,
      isStored: false,
    };
    this.#blocks.set(block, state);
    return state;
  }

  #take(effect: Effect, block: number, state: BlockState): void {
    const complain = (what: string): void => {
      this.#doubled.push({ block, what: `${what} (effect ${effect.id}, ${effect.who})` });
    };
    const byPerson = effect.who === personName;
    if (effect.jobId !== null && effect.jobId !== state.jobId) {
      state.jobId = effect.jobId;
      state.claims = 0;
    }
    switch (effect.kind) {
      case "asked":
        state.status = effect.newStatus ?? undefined;
        state.token = undefined;
        return;
      case "dropped":
        state.status = undefined;
        state.token = undefined;
        // Who takes a job out while its worker holds it takes the token with it.
        return;
      case "job":
        if (!byPerson) this.#checkJob(effect, state, complain);
        state.status = effect.newStatus ?? undefined;
        state.claims = Math.max(state.claims, effect.claims ?? 0);
        state.token =
          effect.newStatus === "processing" && effect.worker !== null
            ? { worker: effect.worker, claims: effect.claims ?? 0 }
            : undefined;
        if (effect.newStatus === "completed" && !byPerson) state.completedIn = effect.txid;
        return;
      case "stored":
        this.counts.stored += 1;
        if (!byPerson && state.completedIn !== effect.txid)
          complain(`its rows were written in transaction ${effect.txid}, which did not complete its job`);
        if (state.isStored) complain("its rows were written while it was stored");
        state.completedIn = undefined;
        state.isStored = true;
        return;
      case "removed":
        this.counts.removed += 1;
        state.isStored = false;
        return;
      case "altered":
        if (!byPerson) complain("its number or hash was changed in place");
        return;
      case "truncated":
        return;
    }
  }

  #checkJob(effect: Effect, state: BlockState, complain: (what: string) => void): void {
    const { oldStatus, newStatus, oldWorker, oldClaims, worker, claims, who } = effect;
    if (newStatus === "processing") {
      this.counts.claims += 1;
      if (oldStatus !== "pending") complain(`claimed while it was ${oldStatus}`);
      if ((claims ?? 0) <= state.claims && claims !== mostClaims)
        complain(`claim ${claims} after claim ${state.claims}`);
      if (!isOf(who, worker)) complain(`claimed in the name of ${worker}`);
      return;
    }
    if (newStatus === "completed") {
      this.counts.completions += 1;
      if (oldStatus !== "processing") complain(`completed while it was ${oldStatus}`);
      if (worker !== oldWorker || claims !== oldClaims) complain("completed with another token than it had");
      if (!isOf(who, worker)) complain(`completed by another than its claim's owner ${worker}`);
      const { token } = state;
      if (token !== undefined && (token.worker !== worker || token.claims !== claims))
        complain(`completed with the token of ${worker} while ${token.worker} held it`);
      return;
    }
    // Only a reorg, a person or a command takes a completion back.
    if (oldStatus === "completed" && /\/w\d/.test(who)) complain(`a worker made it ${newStatus} again`);
  }
}

/** Whether a session is this worker's: its application_name says so, cut to what PostgreSQL keeps. */
function isOf(who: string, worker: string | null): boolean {
  return worker !== null && who === `blockmill ${worker}`.slice(0, 63);
}
