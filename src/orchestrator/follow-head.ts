// Following the head: each head that an endpoint tells of is linked to the view of the chain so far,
// compared with what is stored, and enqueued. When the database holds another branch, nothing is
// enqueued before that branch is undone (revert-above.ts).

import type { Endpoints } from "../chain/endpoints.js";
import type { Head } from "../chain/parse/parse-head.js";
import { rulesFor } from "../chain/verify/chain-rules.js";
import { ruleSettings } from "../config/alert-rules.js";
import type { Config } from "../config/schema.js";
import type { Logger } from "../logger.js";
import type { Counts } from "../metrics/counts.js";
import type { Door } from "../pipeline/change-rows.js";
import type { Doubt } from "../queue/doubts.js";
import { advanceHead, readNotedHead } from "../queue/head.js";
import { unpinBelow } from "../queue/known-hashes.js";
import { withdrawHead } from "../queue/withdraw-head.js";
import { createBoard } from "./alerts/board.js";
import { askForHeaders, type HeaderSource } from "./ask-for-headers.js";
import { CanonicalView, extendView } from "./canonical-view.js";
import { type ConfirmOptions, createConfirmBranch, stillServe } from "./confirm-branch.js";
import { type Conflict, findConflict, findConflictBelow } from "./find-conflict.js";
import { type Believed, createHeadJudge, type HeadJudge } from "./judge-heads.js";
import { readKnownBlocks } from "./known-blocks.js";
import { revertAbove } from "./revert-above.js";

export interface FollowerOptions extends Door {
  endpoints: Endpoints;
  config: Config;
  chainId: number;
  log: Logger;
  confirm?: ConfirmOptions;
  /** Where reorgs are counted. */
  counts?: Counts;
  /** Aborts when it is not this follower's time any more: then it changes nothing. */
  signal?: AbortSignal;
  /** Hears of a head that follows the one before it, ahead of its being enqueued. */
  announce?(head: Head): void;
}

export interface Tags {
  safe: number | null;
  finalized: number | null;
}

/**
 * What became of a head: `enqueued` (with the number of blocks that became due), `known` (nothing new,
 * or a node that lags), `disbelieved` (far above the last head, and nobody else has it), `unconfirmed` (another branch that a second endpoint does not confirm: ask again
 * later), `halted` (a reorg deeper than chain.max_reorg_depth: a person must look).
 */
export type HeadOutcome =
  | { kind: "enqueued"; blocks: number }
  | {
      kind: "known" | "disbelieved" | "unconfirmed" | "halted";
    };

export interface Follower {
  /**
   * Takes a head, one at a time. A head that is known already makes it look again whether what is stored
   * is that chain: a block that was fetched by its number may have come from a node on another branch.
   */
  accept(head: Head, toldBy: string, tags: Tags): Promise<HeadOutcome>;
}

/** Follows the chain. */
export function createFollower(options: FollowerOptions): Follower {
  const { pool, endpoints, config, chainId, log } = options;
  const { max_reorg_depth: maxDepth, finality_depth: finalityDepth } = config.chain;
  const confirmBranch = createConfirmBranch(endpoints, options.confirm);
  const { nullRounds: skips } = rulesFor(chainId);
  const settings = ruleSettings(config.alerts.rules);
  const board = createBoard({ pool, log, settings });
  let view = new CanonicalView();
  let judge: HeadJudge | undefined;
  /** When a head was last found to be false; an earlier leader may have found one just now. */
  let falseAt: number | undefined = performance.now();
  // At first nobody knows: an earlier leader may have raised it.
  let mayBeAlarmed = true;
  /** The last doubt that was looked into. */
  let lastDoubt = 0;

  return {
    async accept(head, toldBy, told) {
      const toldAt = performance.now();
      // A block that is final above the head is of a node that tells of two chains.
      const tags = { safe: upTo(head, told.safe), finalized: upTo(head, told.finalized) };
      judge ??= createHeadJudge({ endpoints, confirmBranch, believed: await lastBelieved() });
      const lowestKnown = view.tail?.number ?? (judge.believed?.number ?? 0) - maxDepth;
      if (head.number < lowestKnown) {
        const falsehood = await judge.isFalse();
        if (falsehood === false) return { kind: "known" };
        await withdraw(head, judge.believed?.number ?? head.number, falsehood);
      }
      const source = askForHeaders(endpoints, toldBy, { skips });
      const lowest = lowestOpen(head, tags);
      if (config.pipeline.auto_enqueue && head.parentHash === view.tip?.hash) options.announce?.(head);
      const { view: candidate, linked } = await extendView(view, { head, lowest, ...source });
      const credibility = linked ? "credible" : await judge.isCredible(head, toldBy);
      if (credibility === "false") return disbelieve(head, toldBy, judge.believed);
      if (credibility === "unasked") await doubt(head, toldBy, judge.believed);
      const { conflict, doubts, suspended } = await compare(candidate, linked, source);
      if (conflict === "too deep") return halt(head, candidate, toldBy);
      if (conflict !== null && !(await undo(candidate, conflict, toldBy))) return { kind: "unconfirmed" };
      lastDoubt = Math.max(lastDoubt, ...doubts.map(({ id }) => id));
      options.signal?.throwIfAborted();
      // A leader whose time was over may have suspended what this one has reached already.
      const resumed = new Set(suspended.filter((number) => candidate.hashAt(number) !== undefined));
      if (conflict === null && candidate === view && resumed.size === 0) {
        await standDown();
        judge.believe(head);
        return { kind: "known" };
      }
      const blocks = await advanceHead(pool, {
        chainId,
        headers: candidate.headers.filter(({ number }) => number > lowest || number === head.number),
        fresh: candidate.headers.filter(
          ({ number, hash }) => view.hashAt(number) !== hash || resumed.has(number),
        ),
        safeBlock: tags.safe,
        finalizedBlock: tags.finalized,
        startBlock: config.chain.start_block,
        priorityBlocks: config.pipeline.priority_blocks,
        autoEnqueue: config.pipeline.auto_enqueue,
      });
      if (blocks > 0)
        options.counts?.observe("blockmill_announce_seconds", [], (performance.now() - toldAt) / 1_000);
      // Not before it was compared: a block that is final by now may have been stored since the last look.
      view = candidate.from(lowest);
      judge.believe(head);
      await standDown();
      return { kind: "enqueued", blocks };
    },
  };

  /** The lowest block that may still change, as far as anybody knows, within the limit. */
  function lowestOpen({ number }: Head, { finalized }: Tags): number {
    const open = Math.max(0, number - maxDepth, finalized ?? number - finalityDepth);
    return Math.min(number, open);
  }

  async function compare(
    candidate: CanonicalView,
    linked: boolean,
    source: HeaderSource,
  ): Promise<{ conflict: Conflict | "too deep" | null; doubts: Doubt[]; suspended: number[] }> {
    const read = () => readKnownBlocks(pool, { from: candidate.tail?.number ?? 0, afterDoubt: lastDoubt });
    const known = await read();
    const { doubts, suspended } = known;
    // A block below the view was fetched by its number while the chain was on another branch, or from
    // an endpoint that was: then the next one does not link to it.
    const isDoubtful = doubts.some(({ blockNumber }) => blockNumber <= (candidate.tail?.number ?? 0));
    const isLinked = linked && !isDoubtful;
    const below = isLinked ? null : await findBelow(candidate, source);
    const conflict = below ?? findConflict(isLinked ? known : await read(), candidate, view);
    const isTooDeep = conflict !== null && conflict !== "too deep" && depthOf(conflict) >= maxDepth;
    return { conflict: isTooDeep ? "too deep" : conflict, doubts, suspended };
  }

  async function findBelow(
    candidate: CanonicalView,
    source: HeaderSource,
  ): Promise<Conflict | "too deep" | null> {
    const below = candidate.tail?.number ?? 0;
    // Before the look at what is stored, so that nothing that was fetched before it is committed after it.
    await unpinBelow(pool, { below, claimsFrom: below - maxDepth });
    return findConflictBelow(pool, candidate, maxDepth, source);
  }

  /** False: the branch is not confirmed, and nothing was removed. */
  async function undo(candidate: CanonicalView, conflict: Conflict, toldBy: string): Promise<boolean> {
    const [first, ...rest] = conflict.branch;
    const tip = candidate.tip;
    if (first === undefined || tip === undefined) return false;
    const forkBlock = conflict.block - 1;
    const { oldHead, hash: oldHash } = conflict;
    const facts = { forkBlock, oldHead, newHead: tip.number, toldBy };
    const claim = { number: first.number, hash: first.hash, tip: tip.number, toldBy };
    const confirmedBy = await confirmBranch(claim);
    if (confirmedBy === null) {
      log.warn(facts, "another branch was told of, but is not confirmed; nothing is removed");
      return false;
    }
    if (!(await stillServe(endpoints, { names: [toldBy, confirmedBy], chainId }))) {
      log.warn(
        { ...facts, confirmedBy, chainId },
        "who told of another branch does not serve this chain now; nothing is removed",
      );
      return false;
    }
    options.signal?.throwIfAborted();
    const removed = await revertAbove(options, {
      schema: config.database.schema,
      forkBlock,
      branch: [first, ...rest],
      oldHead,
      oldHash,
      toldBy,
      confirmedBy,
    });
    if (removed !== null) {
      options.counts?.add("blockmill_reorgs_total", []);
      options.counts?.observe("blockmill_reorg_depth_blocks", [], oldHead - forkBlock);
      log.warn(
        { ...facts, confirmedBy, removed },
        "reorg: the dropped branch's rows are removed, its blocks enqueued again",
      );
    }
    return true;
  }

  async function halt(head: Head, candidate: CanonicalView, toldBy: string): Promise<HeadOutcome> {
    const { number, hash } = candidate.tail ?? head;
    const confirmedBy = await confirmBranch({ number, hash, tip: head.number, toldBy });
    if (confirmedBy === null) {
      log.warn(
        { head: head.number, toldBy },
        "another branch was told of, but is not confirmed; it is ignored",
      );
      return { kind: "unconfirmed" };
    }
    const message =
      `${toldBy} tells of head ${head.number} on a branch that parts from the stored blocks more than ` +
      `chain.max_reorg_depth (${maxDepth}) blocks deep. Nothing was removed, and no new block is enqueued. ` +
      "Look whether the endpoint serves the right chain; if it does, raise chain.max_reorg_depth and restart.";
    mayBeAlarmed = true;
    await board.raise("reorg_too_deep", message, { head: head.number, endpoint: toldBy });
    return { kind: "halted" };
  }

  /** What an earlier leader, or an earlier life of this one, noted. */
  async function lastBelieved(): Promise<Believed | undefined> {
    const noted = await readNotedHead(pool);
    if (noted === null) return undefined;
    return { number: noted.number, hash: noted.hash, at: performance.now() - Math.max(0, noted.ageMs) };
  }

  /** Nobody else has it: it is as if it had not been told. */
  async function disbelieve(
    { number }: Head,
    toldBy: string,
    believed: Believed | undefined,
  ): Promise<HeadOutcome> {
    const last =
      believed === undefined ? "All others are far below it" : `The last head was ${believed.number}`;
    endpoints.blame(toldBy, `it told of head ${number}, and no other endpoint has it. ${last}`);
    const message =
      `${toldBy} tells of head ${number}. ${last}, and no other endpoint confirms the new one. ` +
      `Nothing was enqueued for it, and ${toldBy} is put aside for a while. If this goes on, remove it from rpc.urls.`;
    await alarm(message, { head: number, endpoint: toldBy });
    return { kind: "disbelieved" };
  }

  /** It is followed, since there is nobody to ask, and taken back when it proves false. */
  async function doubt({ number }: Head, toldBy: string, believed: Believed | undefined): Promise<void> {
    const message =
      `${toldBy} tells of head ${number}, far above the last one (${believed?.number}), and no other endpoint can be asked. ` +
      "It is followed, and taken back if it proves false. Two endpoints in rpc.urls would tell.";
    await alarm(message, { head: number, endpoint: toldBy });
  }

  async function withdraw({ number }: Head, believed: number, falsehood: "gone" | "alone"): Promise<void> {
    await withdrawHead(pool, number);
    view = new CanonicalView();
    const message =
      `Head ${believed} proved false: no ${falsehood === "gone" ? "endpoint has it any more" : "other endpoint has it"}. Following goes on from head ${number}; ` +
      "jobs above it wait for the chain to reach them.";
    await alarm(message, { head: number, believed });
  }

  async function alarm(message: string, facts: Record<string, unknown>): Promise<void> {
    falseAt = performance.now();
    await board.raise("false_head", message, facts);
  }

  async function standDown(): Promise<void> {
    if (falseAt !== undefined && performance.now() - falseAt >= settings.false_head.clearMs) {
      falseAt = undefined;
      await board.clear("false_head");
    }
    if (!mayBeAlarmed) return;
    await board.clear("reorg_too_deep");
    mayBeAlarmed = false;
  }
}

/** A tag that the head allows. */
const upTo = ({ number }: Head, tag: number | null): number | null =>
  tag !== null && tag <= number ? tag : null;

/** How many blocks below the newest known one the dropped ones begin. */
const depthOf = ({ oldHead, block }: Conflict): number => oldHead - block;
