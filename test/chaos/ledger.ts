// The independent account. The fixture node knows which blocks are canonical; the load knows which were asked
// for; the effects tell what was done. At rest the three must agree with every row of every table.

import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Hex } from "../../src/block.js";
import { storedDigests } from "../../src/store/stored-digests.js";
import { brokenLinks, createDigestOf } from "../reorg/expected-rows.js";
import type { Fixture } from "../support/fixture.js";
import { effectsAfter } from "./effects.js";
import { type Finding, History } from "./history.js";

export interface Verdict {
  /** Canonical and asked for, and not stored, or its job not complete. */
  lost: Finding[];
  /** Done twice, or by who had no right to. */
  doubled: Finding[];
  /** Rows that are not the canonical block's; rows, jobs or coverage of blocks that should not be there. */
  wrong: Finding[];
  /** What looked lost or wrong, and was right a moment later. */
  moments: Finding[];
  /** How many blocks must be stored. */
  blocks: number;
}

export interface Asked {
  /** Blocks 0 to `history` - 1 were asked for. */
  history: number;
  /** So was every canonical block from here on. */
  from: number;
}

/** After what time is looked again: several times the interval at which the head is looked at. */
const againMs = 2_000;
/** How many expected blocks are asked of the node at once. */
const concurrency = 4;

export class Ledger {
  readonly history = new History();
  readonly #pool: pg.Pool;
  readonly #node: Fixture;
  readonly #digestOf: ReturnType<typeof createDigestOf>;
  /** By number: what must be stored. Blocks of the history never change. */
  readonly #expected = new Map<number, { hash: string; digest: Hex }>();
  /** Numbers of what was asked for at which the chain has no block. */
  readonly #absent = new Set<number>();
  #historyKnown = 0;
  #historyBlocks = { below: 0, count: 0 };

  constructor({ pool, node, chainId }: { pool: pg.Pool; node: Fixture; chainId: number }) {
    this.#pool = pool;
    this.#node = node;
    this.#digestOf = createDigestOf({ chainId });
  }

  /**
   * Waits until nothing is left to do: every block that was asked for is stored with its canonical hash, and no
   * job is open. Returns what is missing, in words, when `timeoutMs` are over or nothing changed for a third of
   * them; empty: nothing.
   */
  async rest(asked: Asked, timeoutMs: number): Promise<string> {
    const deadline = performance.now() + timeoutMs;
    let last = { missing: "", since: performance.now() };
    for (;;) {
      const missing = await this.#missing(asked).catch((error: unknown) => String(error));
      const now = performance.now();
      if (missing !== last.missing) last = { missing, since: now };
      if (missing === "" || now > deadline || now - last.since > timeoutMs / 3) return missing;
      await sleep(50);
    }
  }

  /**
   * Compares everything; `isFull` also the rows of blocks that nothing was done to since the last time. What looks
   * wrong is looked at again: the program believes its endpoints, and one may still have told it of a branch that
   * was dropped a moment ago. What was undone by then is counted apart, as a moment.
   */
  async check(asked: Asked, { isFull }: { isFull: boolean }): Promise<Verdict> {
    const touched = await this.#readEffects();
    const changed = await this.#learn(asked);
    const first = await this.#compare(isFull ? undefined : [...new Set([...touched, ...changed])]);
    if (first.lost.length + first.wrong.length === 0) return first;
    await sleep(againMs);
    const later = [...(await this.#readEffects()), ...(await this.#learn(asked))];
    const second = await this.#compare(isFull ? undefined : [...new Set([...touched, ...changed, ...later])]);
    const stays = ({ block, what }: Finding): boolean =>
      [...second.lost, ...second.wrong].some((each) => each.block === block && each.what === what);
    return { ...second, moments: [...first.lost, ...first.wrong].filter((finding) => !stays(finding)) };
  }

  async #compare(numbers: number[] | undefined): Promise<Verdict> {
    const verdict: Verdict = {
      lost: this.history.completedWithoutRows().filter(({ block }) => !this.#absent.has(block ?? -1)),
      doubled: [...this.history.doubled],
      wrong: [],
      moments: [],
      blocks: this.#expected.size,
    };
    await this.#checkRows(verdict, numbers);
    await this.#checkQueue(verdict);
    for (const { number } of (await this.#pool.query<{ number: number }>(brokenLinks)).rows)
      verdict.wrong.push({ block: number, what: "does not link to its parent" });
    return verdict;
  }

  async #readEffects(): Promise<Set<number>> {
    const touched = new Set<number>();
    for (;;) {
      const effects = await effectsAfter(this.#pool, this.history.lastId, 20_000);
      if (effects.length === 0) return touched;
      for (const block of this.history.read(effects)) touched.add(block);
    }
  }

  /** Learns what is canonical now; returns the numbers whose block changed. */
  async #learn({ history, from }: Asked): Promise<number[]> {
    const { number: head } = await this.#node.head();
    const canonical = await this.#node.canonical(from, head);
    if (history > this.#historyKnown)
      canonical.push(...(await this.#node.canonical(this.#historyKnown, history - 1)));
    const learned = this.#historyKnown;
    this.#historyKnown = Math.max(learned, history);
    const there = new Set(canonical.map(({ number }) => number));
    for (const number of this.#expected.keys())
      if (number > head || (number >= from && !there.has(number))) this.#expected.delete(number);
    for (const number of this.#absent) if (number >= from) this.#absent.delete(number);
    for (let number = from; number <= head; number += 1) if (!there.has(number)) this.#absent.add(number);
    for (let number = learned; number < history; number += 1)
      if (!there.has(number)) this.#absent.add(number);
    const changed = canonical.filter(({ number, hash }) => this.#expected.get(number)?.hash !== hash);
    let next = 0;
    const learn = async (): Promise<void> => {
      for (let at = next++; at < changed.length; at = next++) {
        const block = changed[at];
        if (block === undefined) return;
        const digest = this.#digestOf(await this.#node.expected(block.number));
        this.#expected.set(block.number, { hash: block.hash, digest });
      }
    };
    await Promise.all(Array.from({ length: concurrency }, learn));
    return changed.map(({ number }) => number);
  }

  async #checkRows(verdict: Verdict, numbers: number[] | undefined): Promise<void> {
    const client = await this.#pool.connect();
    try {
      const { rows } = await client.query<{ number: number; has_header: boolean }>(everyNumber);
      const there = new Map(rows.map(({ number, has_header }) => [number, has_header]));
      for (const [number, hasHeader] of there) {
        if (!this.#expected.has(number))
          verdict.wrong.push({ block: number, what: "is stored, and should not be" });
        else if (!hasHeader) verdict.wrong.push({ block: number, what: "has rows without a block" });
      }
      for (const number of this.#expected.keys())
        if (!there.has(number)) verdict.lost.push({ block: number, what: "is not stored" });
      const looked = (numbers ?? [...this.#expected.keys()]).filter((number) => there.has(number));
      const digests = await storedDigests(client, looked);
      for (const number of looked) {
        const expected = this.#expected.get(number);
        if (expected !== undefined && there.get(number) && digests.get(number) !== expected.digest)
          verdict.wrong.push({
            block: number,
            what: "has rows that are not the canonical block's",
            detail: await this.#about(client, number),
          });
      }
    } finally {
      client.release();
    }
  }

  /** What is known of a block whose rows are wrong, for whoever has to find out why. */
  async #about(client: pg.PoolClient, number: number): Promise<string> {
    const expected = this.#expected.get(number);
    const again = await storedDigests(client, [number]);
    const [now] = await this.#node.canonical(number, number);
    const { rows } = await client.query<{ facts: string }>(aboutBlock, [number]);
    return [
      `expected ${expected?.hash} (now canonical: ${now?.hash})`,
      again.get(number) === expected?.digest ? "right when looked at again" : "wrong when looked at again",
      rows[0]?.facts,
    ].join("; ");
  }

  /** Jobs and coverage together: each block that was asked for once, and nothing else. */
  async #checkQueue(verdict: Verdict): Promise<void> {
    const { rows } = await this.#pool.query<{
      number: number;
      status: string | null;
      covered: number;
      absent: boolean;
    }>(everyBlockOfQueue);
    const seen = new Map(rows.map((row) => [row.number, row]));
    for (const number of [...this.#expected.keys(), ...this.#absent]) {
      const found = seen.get(number);
      if (found === undefined)
        verdict.lost.push({ block: number, what: "has no job, and is not in the coverage" });
      else if (found.status !== null && found.status !== "completed")
        verdict.lost.push({ block: number, what: `has a job that is ${found.status}` });
    }
    for (const { number, status, covered, absent } of rows) {
      const isDone = covered > 0 || status === "completed";
      if (isDone && absent !== this.#absent.has(number))
        verdict.wrong.push({
          block: number,
          what: `is done as ${absent ? "absent, and is there" : "there, and is absent"}`,
        });
      const isAsked = this.#expected.has(number) || this.#absent.has(number);
      if (covered > 0 && !isAsked)
        verdict.wrong.push({ block: number, what: "is in the coverage, and should not be" });
      if (status === "completed" && !isAsked)
        verdict.wrong.push({ block: number, what: "has a completed job, and should not be there" });
      if (covered > 0 && status === "completed")
        verdict.wrong.push({ block: number, what: "is both in the coverage and a completed job" });
    }
  }

  async #missing({ history, from }: Asked): Promise<string> {
    const { number: head, hash } = await this.#node.head();
    if (history !== this.#historyBlocks.below)
      this.#historyBlocks = { below: history, count: (await this.#node.canonical(0, history - 1)).length };
    const wanted = this.#historyBlocks.count + (await this.#node.canonical(from, head)).length;
    const { rows } = await this.#pool.query<{
      open: string | null;
      stored: number;
      head_hash: string | null;
    }>(
      `select
         (select format('job %s is %s (%s, attempt %s)', block_number, status, last_error, attempts) from processing_jobs
          where status <> 'completed' and not (run_at = 'infinity' and block_number > $1)
          order by block_number limit 1) as open,
         (select count(*)::int from blocks where number < $2 or number between $3 and $1) as stored,
         (select '0x' || encode(hash, 'hex') from blocks where number = $1) as head_hash`,
      [head, history, from],
    );
    const [row] = rows;
    if (row === undefined) return "nothing was answered";
    if (row.open !== null) return row.open;
    if (row.stored < wanted) return `${row.stored} of ${wanted} blocks are stored`;
    if (row.head_hash !== hash) return `the head ${head} is stored as ${row.head_hash}`;
    // Every block above the last fork links down to it, so the head's hash alone speaks for the branch.
    return "";
  }
}

const everyNumber = `
  select number::float8 as number, bool_or(is_header) as has_header from (
    select number, true as is_header from blocks
    union all select distinct block_number, false from transactions
    union all select distinct block_number, false from logs
    union all select distinct block_number, false from withdrawals
    union all select distinct block_number, false from token_transfers
  ) as every group by number`;

const aboutBlock = `
  select format('stored %s; job %s; covered %s; effects: %s; now %s',
    (select '0x' || encode(hash, 'hex') from blocks where number = $1),
    (select format('%s of %s, attempt %s', status, worker_id, attempts) from processing_jobs where block_number = $1),
    (select count(*) from processing_coverage where blocks @> $1::bigint),
    (select string_agg(format('%s %s %s %s by %s', to_char(at, 'HH24:MI:SS.MS'), kind, new_status,
       left(encode(hash, 'hex'), 8), who), ', ' order by id)
     from (select * from chaos_effects where block = $1 order by id desc limit 12) as newest),
    to_char(clock_timestamp(), 'HH24:MI:SS.MS')) as facts`;

const everyBlockOfQueue = `
  select coalesce(block_number, n)::float8 as number, status, (n is not null)::int as covered,
    coalesce(was_absent or status = 'completed' and result ->> 'absent' = 'true', false) as absent
  from processing_jobs full join (
    select n, absent @> n as was_absent from processing_coverage, unnest(blocks) as span, generate_series(lower(span), upper(span) - 1) as n
  ) as covered on n = block_number`;
