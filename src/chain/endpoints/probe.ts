import { dispositionOf, EndpointUnavailableError } from "../../errors.js";
import type { Capabilities, ReceiptsBy } from "../endpoint/capabilities.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { fetchChainId, fetchHead, fetchTag } from "../endpoint/fetch-head.js";
import type { Head } from "../parse/parse-head.js";

export interface Required {
  chainId: number;
  head: Head;
}

/**
 * What an endpoint must have to be of any use: its chain and its head, in one round trip. Throws a RateLimitedError, or
 * an EndpointUnavailableError with the reason: none of its failures is a block's.
 */
export async function probeRequired(endpoint: Endpoint, signal?: AbortSignal): Promise<Required> {
  try {
    const [chainId, head] = await Promise.all([fetchChainId(endpoint, signal), fetchHead(endpoint, signal)]);
    return { chainId, head };
  } catch (error) {
    if (signal?.aborted || dispositionOf(error) === "wait") throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new EndpointUnavailableError(message, { endpoint: endpoint.name }, { cause: error });
  }
}

export interface Optional {
  found: Pick<Capabilities, "finalized" | "safe" | "receiptsBy">;
  /** Whether all that it seems to lack was refused in so many words, rather than lost to an outage. */
  isSure: boolean;
}

/**
 * Finds out what else an endpoint can. Whatever fails is lacking, and never throws: so it is asked again some time later.
 * A refused batch teaches the endpoint itself.
 */
export async function probeOptional(endpoint: Endpoint, head: Head, signal?: AbortSignal): Promise<Optional> {
  let isSure = true;
  const succeeds = async (request: Promise<unknown>): Promise<{ result: unknown } | null> => {
    try {
      return { result: await request };
    } catch (error) {
      isSure &&= dispositionOf(error) !== "wait";
      return null;
    }
  };
  const findReceiptsBy = async (): Promise<ReceiptsBy | null> => {
    // By hash where that works: then a reorg between two requests cannot mix branches.
    const ways: [ReceiptsBy, unknown][] = [
      ["hash", head.hash],
      ["hash-object", { blockHash: head.hash }],
      ["number", `0x${head.number.toString(16)}`],
    ];
    for (const [way, block] of ways) {
      const answer = await succeeds(endpoint.request("eth_getBlockReceipts", [block], { signal }));
      // Null: this way is understood, and the head was dropped meanwhile.
      if (answer !== null && (Array.isArray(answer.result) || answer.result === null)) return way;
    }
    return null;
  };
  const [finalized, safe, receiptsBy] = await Promise.all([
    // A young chain has no final block yet and answers null: it knows the tag all the same.
    succeeds(fetchTag(endpoint, "finalized", signal)),
    succeeds(fetchTag(endpoint, "safe", signal)),
    findReceiptsBy(),
    endpoint.capabilities.batchSize < 2
      ? undefined
      : succeeds(endpoint.requestBatch("eth_chainId", [[], []], { signal })),
  ]);
  return { found: { finalized: finalized !== null, safe: safe !== null, receiptsBy }, isSure };
}
