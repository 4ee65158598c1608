import { performance } from "node:perf_hooks";
import type { Hex } from "../block.js";
import { fetchHeaderByNumber } from "../chain/endpoint/fetch-head.js";
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

export interface HeadJudge {
  /**
   * Whether a head that does not link to what is known may be believed: it is no further ahead than the block rhythm
   * allows since the last one, or it is confirmed as a reorg is.
   */
  isCredible(head: Head, toldBy: string): Promise<boolean>;
  /** Whether nobody has the head that was believed any more. False also when nobody answers. */
  isFalse(): Promise<boolean>;
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

  const mostAhead = ({ at }: Believed): number => {
    // Blocks that were caught up with at once tell nothing of the rhythm.
    const intervalMs = Math.max(leastIntervalMs, (rhythm.intervalMs ?? 0) / haste);
    return slackBlocks + (performance.now() - at) / intervalMs;
  };

  return {
    get believed() {
      return believed;
    },
    async isCredible({ number, hash }, toldBy) {
      if (believed === undefined || number - believed.number <= mostAhead(believed)) return true;
      return (await confirmBranch({ number, hash, tip: number, toldBy })) !== null;
    },
    async isFalse() {
      if (believed === undefined || performance.now() - seenAt < wordHoldsMs) return false;
      const { number, hash } = believed;
      const words = await Promise.all(
        endpoints.all.map(async ({ name }) => {
          const except = endpoints.all.filter((each) => each.name !== name).map((each) => each.name);
          const signal = AbortSignal.timeout(answerWithinMs);
          return endpoints
            .tryEach((endpoint) => fetchHeaderByNumber(endpoint, number, signal), { except, signal })
            .catch(() => undefined);
        }),
      );
      if (words.some((header) => header?.hash === hash)) seenAt = performance.now();
      else return words.some((header) => header !== undefined);
      return false;
    },
    believe({ number, hash }) {
      const at = performance.now();
      if (believed !== undefined && number - believed.number <= slackBlocks) rhythm.saw(number, at);
      believed = { number, hash, at };
    },
  };
}
