import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "../block.js";
import type { Endpoint } from "../chain/endpoint/endpoint.js";
import { fetchChainId, fetchHead, fetchHeaderByNumber } from "../chain/endpoint/fetch-head.js";
import type { Endpoints } from "../chain/endpoints.js";

/** Another branch, as an endpoint tells of it. */
export interface ToldBranch {
  /** A block that only the new branch has. */
  number: number;
  hash: Hex;
  /** The number of the new branch's newest block. */
  tip: number;
  toldBy: string;
}

export interface ConfirmOptions {
  /** How long the others are waited for. One that does not answer has no say. */
  answerWithinMs?: number;
  /** How long an endpoint that stands alone is given to change its mind. */
  secondThoughtMs?: number;
  /** A node that is behind, and has not moved for so long, has no say. */
  stalledAfterMs?: number;
}

/** Returns the endpoint that confirms a branch; null: nobody does (yet), and nothing may be removed. */
export type ConfirmBranch = (told: ToldBranch) => Promise<string | null>;

/** A node that is so many blocks behind the new branch's tip is behind, rather than just later. */
const behindBy = 3;
const chainWithinMs = 2_000;

/**
 * Asks the other endpoints whether they have the block that only the new branch has, before anything is
 * removed. One that contradicts and is ahead of the branch has the last word; else one that confirms.
 * Where nobody else has a say (there is no other, or it is down or stalled), the same endpoint is asked
 * again.
 */
export function createConfirmBranch(endpoints: Endpoints, options: ConfirmOptions = {}): ConfirmBranch {
  const { answerWithinMs = 2_000, secondThoughtMs = 150, stalledAfterMs = 30_000 } = options;
  const stands = new Map<string, { hash: Hex; since: number }>();

  /** Whether an endpoint's head has been the same for long. */
  const isStalled = (name: string, hash: Hex): boolean => {
    const stand = stands.get(name);
    if (stand?.hash === hash) return performance.now() - stand.since >= stalledAfterMs;
    stands.set(name, { hash, since: performance.now() });
    return stalledAfterMs === 0;
  };

  const verdictOf = async (endpoint: Endpoint, told: ToldBranch, signal: AbortSignal) => {
    const [header, head] = await Promise.all([
      fetchHeaderByNumber(endpoint, told.number, signal),
      fetchHead(endpoint, signal),
    ]);
    if (header?.hash === told.hash) return "confirms";
    // Ahead without that block: it tells of blocks that it does not have.
    if (head.number > told.tip) return header === null ? "no say" : "knows better";
    const isBehind = head.number <= told.tip - behindBy || header === null;
    return isBehind && isStalled(endpoint.name, head.hash) ? "no say" : "contradicts";
  };

  return async (told) => {
    const others = endpoints.all.filter(({ name }) => name !== told.toldBy);
    const verdicts = await Promise.all(
      others.map(async ({ name }) => {
        const signal = AbortSignal.timeout(answerWithinMs);
        const verdict = await askOne(
          endpoints,
          name,
          (endpoint) => verdictOf(endpoint, told, signal),
          signal,
        );
        return { name, verdict };
      }),
    );
    if (verdicts.some(({ verdict }) => verdict === "knows better")) return null;
    const confirming = verdicts.find(({ verdict }) => verdict === "confirms");
    if (confirming !== undefined) return confirming.name;
    if (verdicts.some(({ verdict }) => verdict === "contradicts")) return null;
    await sleep(secondThoughtMs);
    const signal = AbortSignal.timeout(answerWithinMs);
    const again = (endpoint: Endpoint) => fetchHeaderByNumber(endpoint, told.number, signal);
    const header = await askOne(endpoints, told.toldBy, again, signal);
    return header?.hash === told.hash ? told.toldBy : null;
  };
}

/**
 * Asks endpoints for their chain id now. An endpoint that serves another chain would confirm another branch at any
 * height; it is put aside. Returns false also when one of them does not answer.
 */
export async function stillServe(
  endpoints: Endpoints,
  { names, chainId }: { names: readonly string[]; chainId: number },
): Promise<boolean> {
  const answers = await Promise.all(
    [...new Set(names)].map(async (name) => {
      const signal = AbortSignal.timeout(chainWithinMs);
      const serves = await askOne(endpoints, name, (endpoint) => fetchChainId(endpoint, signal), signal);
      if (serves !== undefined && serves !== chainId)
        endpoints.blame(name, `it serves chain ${serves}, not chain ${chainId}`);
      return serves === chainId;
    }),
  );
  return answers.every((serves) => serves);
}

/** Asks that one endpoint, unless it rests or serves another chain; undefined: it does not answer. */
async function askOne<T>(
  endpoints: Endpoints,
  name: string,
  work: (endpoint: Endpoint) => Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const except = endpoints.all.filter((each) => each.name !== name).map((each) => each.name);
  return endpoints.tryEach(work, { except, signal }).catch(() => undefined);
}
