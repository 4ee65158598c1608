import { performance } from "node:perf_hooks";
import type { Hex } from "../block.js";
import type { Endpoint } from "../chain/endpoint/endpoint.js";
import { fetchHead, fetchHeaderByNumber } from "../chain/endpoint/fetch-head.js";
import type { Endpoints } from "../chain/endpoints.js";
import { BlockRhythm } from "../chain/heads/block-rhythm.js";
import type { Head } from "../chain/parse/parse-head.js";
import type { ConfirmBranch } from "./confirm-branch.js";

/** Blocks that a head may always be ahead of the last one. */
const slackBlocks = 64;
/** Blocks come at most so many times as fast as they came. */
const haste = 4;
/** Between two blocks, while no rhythm is known: no chain is faster. */
const leastIntervalMs = 50;
/** How long the other endpoints' word is good that a head is there. */
const wordHoldsMs = 2_000;
const answerWithinMs = 2_000;

/** The newest head that was believed. */
export interface Believed {
  number: number;
  hash: Hex;
  /** By performance.now(). */
  at: number;
}

/** `unasked`: it is followed, though far ahead, since there is nobody else to ask. */
export type Credibility = "credible" | "unasked" | "false";

export interface HeadJudge {
  /**
   * Whether a head that does not link to what is known may be believed: it is no further ahead than the block rhythm
   * allows since the last one, or it is confirmed as a reorg is. While no rhythm is known (a first head, or the first one after
   * a time in which nobody followed) it may not be far above all others' heads either, unless it is confirmed.
   */
  isCredible(head: Head, toldBy: string): Promise<Credibility>;
  /**
   * `gone`: nobody has the head that was believed any more. `alone`: it was believed because no other endpoint answered, and
   * another answers now, far below it and without it. False also when nobody answers.
   */
  isFalse(): Promise<"gone" | "alone" | false>;
  /** From now on this is the last head. */
  believe(head: Head): void;
  readonly believed: Believed | undefined;
}

/** Judges heads by what was believed before. `believed`: what an earlier leader noted. */
export function createHeadJudge(options: {
  endpoints: Endpoints;
  confirmBranch: ConfirmBranch;
  believed: Believed | undefined;
}): HeadJudge {
  const { endpoints, confirmBranch } = options;
  const rhythm = new BlockRhythm();
  let { believed } = options;
  let seenAt = Number.NEGATIVE_INFINITY;
  /** The number of a head that was believed though others were to be asked, and none answered. */
  let unconfirmed: number | undefined;

  const mostAhead = ({ at }: Believed): number => {
    // Blocks that were caught up with at once tell nothing of the rhythm.
    const intervalMs = Math.max(leastIntervalMs, (rhythm.intervalMs ?? 0) / haste);
    return slackBlocks + (performance.now() - at) / intervalMs;
  };

  /** What each endpoint says, but `except`; undefined where it does not answer. */
  const wordsOf = <T>(
    ask: (endpoint: Endpoint, signal: AbortSignal) => Promise<T>,
    except?: string,
  ): Promise<(T | undefined)[]> => {
    const names = endpoints.all.map(({ name }) => name);
    const asked = names.filter((name) => name !== except);
    return Promise.all(
      asked.map((name) => {
        const signal = AbortSignal.timeout(answerWithinMs);
        return endpoints
          .tryEach((endpoint) => ask(endpoint, signal), {
            except: names.filter((each) => each !== name),
            signal,
          })
          .catch(() => undefined);
      }),
    );
  };

  return {
    get believed() {
      return believed;
    },
    async isCredible({ number, hash }, toldBy) {
      const ahead = believed === undefined ? Number.POSITIVE_INFINITY : number - believed.number;
      if (ahead <= slackBlocks) return "credible";
      const isInTime = believed === undefined || ahead <= mostAhead(believed);
      if (isInTime && rhythm.intervalMs !== undefined) return "credible";
      const others = await wordsOf((endpoint, signal) => fetchHead(endpoint, signal), toldBy);
      const heads = others.flatMap((head) => head?.number ?? []);
      if (isInTime && heads.length === 0) {
        if (endpoints.all.length > 1) unconfirmed = number;
        return "credible";
      }
      if (isInTime && number <= Math.max(...heads) + slackBlocks) return "credible";
      const confirmedBy = await confirmBranch({ number, hash, tip: number, toldBy });
      if (confirmedBy === null) return "false";
      return confirmedBy === toldBy ? "unasked" : "credible";
    },
    async isFalse() {
      if (believed === undefined || performance.now() - seenAt < wordHoldsMs) return false;
      const { number, hash } = believed;
      const words = await wordsOf((endpoint, signal) => fetchHeaderByNumber(endpoint, number, signal));
      const having = words.filter((header) => header?.hash === hash).length;
      if (having > 1) unconfirmed = undefined;
      if (unconfirmed !== undefined && words.includes(null)) {
        const lowest = unconfirmed - slackBlocks;
        const heads = await wordsOf((endpoint, signal) => fetchHead(endpoint, signal));
        if (words.some((header, i) => header === null && (heads[i]?.number ?? lowest) < lowest))
          return "alone";
      }
      if (having > 0) seenAt = performance.now();
      const isGone = having === 0 && words.some((header) => header !== undefined);
      return isGone ? "gone" : false;
    },
    believe({ number, hash }) {
      const at = performance.now();
      if (believed !== undefined && number - believed.number <= slackBlocks) rhythm.saw(number, at);
      believed = { number, hash, at };
      if (unconfirmed !== undefined && Math.abs(number - unconfirmed) > slackBlocks) unconfirmed = undefined;
    },
  };
}
