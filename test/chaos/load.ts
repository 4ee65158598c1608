// What the daemons have to do all along: new heads with short reorgs, and an older history that is asked for
// piece by piece, as ranges, as single rows, with priorities, and for a moment ahead.

import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../../bench/fixture-node/random.js";
import type { World } from "./world.js";

/** No more is asked for while so many jobs wait. */
const backlog = 400;

export class Load {
  readonly #world: World;
  readonly #random: Random;
  #loops: Promise<void>[] = [];
  #running = new AbortController();
  /** Every block below it was asked for. */
  #next = 0;
  highestHead = 0;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  start(): void {
    if (this.#loops.length > 0) return;
    this.#running = new AbortController();
    this.#loops = [this.#mine(), this.#ask()];
  }

  async stop(): Promise<void> {
    this.#running.abort();
    await Promise.all(this.#loops.splice(0));
  }

  /** The blocks that must be stored at rest: below `history`, and from the world's first head on. */
  get asked(): { history: number; from: number } {
    return { history: this.#next, from: this.#world.options.history };
  }

  /** Replaces the newest blocks; never so many that the first head goes. Returns how deep. */
  async reorg(depth: number, length: number): Promise<number> {
    const { node, options } = this.#world;
    const { number } = await node.head();
    const possible = Math.min(depth, number - options.history - 1);
    if (possible < 1) return 0;
    this.#saw(
      (await node.reorg({ depth: possible, length: Math.max(1, length - (depth - possible)) })).number,
    );
    return possible;
  }

  /** Asks for the next blocks of the history at once; none are left: false. */
  async askNow(count: number): Promise<boolean> {
    const to = Math.min(this.#world.options.history, this.#next + count) - 1;
    if (to < this.#next) return false;
    await this.#insert({ from: this.#next, to, priority: 0, delayMs: 0 });
    this.#next = to + 1;
    return true;
  }

  async mineOne(): Promise<number> {
    const { number } = await this.#world.node.mine(1);
    this.#saw(number);
    return number;
  }

  /** Mines until the head is above all that were seen: one that is lower is taken for a lagging node's. */
  async mineAbove(): Promise<void> {
    const seen = this.highestHead;
    while ((await this.mineOne()) <= seen);
  }

  #saw(head: number): void {
    this.highestHead = Math.max(this.highestHead, head);
  }

  async #mine(): Promise<void> {
    const random = this.#random;
    while (!this.#running.signal.aborted) {
      if (random.chance(0.05)) await this.reorg(1 + random.below(3), 1 + random.below(4));
      else await this.mineOne();
      await pause(100 + random.below(300), this.#running.signal);
    }
  }

  async #ask(): Promise<void> {
    const { history, historyPerSecond } = this.#world.options;
    const began = performance.now();
    const first = this.#next;
    while (!this.#running.signal.aborted && this.#next < history) {
      const due = first + ((performance.now() - began) / 1_000) * historyPerSecond;
      if (this.#next > due) {
        await pause(100, this.#running.signal);
        continue;
      }
      const [row] = await this.#world.ask<{ queued: number }>(
        "select count(*)::int as queued from processing_jobs where queued",
      );
      if ((row?.queued ?? 0) < backlog) {
        const to = Math.min(history, this.#next + 20 + this.#random.below(180)) - 1;
        await this.#askFor(this.#next, to);
        this.#next = to + 1;
      }
      await pause(100, this.#running.signal);
    }
  }

  /** May be sent twice when the answer is lost: a block that has a job, or is stored, is not asked for again. */
  async #askFor(from: number, to: number): Promise<void> {
    const random = this.#random;
    if (random.chance(0.4)) {
      await this.#world.ask(
        `insert into processing_ranges (from_block, to_block, next_block, priority)
         select $1, $2, $1, $3 where not exists (select from processing_ranges where from_block = $1 and to_block = $2)`,
        [from, to, random.below(5)],
      );
      return;
    }
    const delayMs = random.chance(0.2) ? random.below(1_500) : 0;
    await this.#insert({ from, to, priority: random.below(8), delayMs });
  }

  async #insert(rows: { from: number; to: number; priority: number; delayMs: number }): Promise<void> {
    await this.#world.ask(
      `insert into processing_jobs (block_number, priority, run_at)
       select n, $3, now() + $4 * interval '1 millisecond' from generate_series($1::bigint, $2::bigint) as n
       where not exists (select from processing_coverage where blocks @> n)
       on conflict (block_number) do nothing`,
      [rows.from, rows.to, rows.priority, rows.delayMs],
    );
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
