import { EndpointError } from "../../errors.js";
import type { Capabilities, ReceiptsBy } from "../endpoint/capabilities.js";
import type { Endpoint } from "../endpoint/endpoint.js";
import { fetchChainId } from "../endpoint/fetch-head.js";
import { type Head, parseHead } from "../parse/parse-head.js";

export interface Probed extends Omit<Capabilities, "lowestBlock" | "batchSize"> {
  head: Head;
}

/**
 * Finds out what an endpoint can, in three round trips. Throws what its requests throw when it does not
 * serve at all; that it lacks something is no error.
 */
export async function probe(endpoint: Endpoint, signal?: AbortSignal): Promise<Probed> {
  const options = { signal };
  const [chainId, latest, finalized, safe] = await Promise.all([
    fetchChainId(endpoint, signal),
    endpoint.request("eth_getBlockByNumber", ["latest", false], options),
    knowsTag(endpoint, "finalized", signal),
    knowsTag(endpoint, "safe", signal),
  ]);
  const head = parseHead(latest, endpoint.name);
  const [receiptsBy] = await Promise.all([
    findReceiptsBy(endpoint, head, signal),
    probeBatch(endpoint, signal),
  ]);
  return { chainId, head, finalized, safe, receiptsBy };
}

async function knowsTag(endpoint: Endpoint, tag: string, signal?: AbortSignal): Promise<boolean> {
  // A young chain has no final block yet and answers null: it knows the tag all the same.
  return (
    (await unlessLacking(endpoint.request("eth_getBlockByNumber", [tag, false], { signal }))) !== lacking
  );
}

/** By hash where that works: then a reorg between two requests cannot mix branches. */
async function findReceiptsBy(
  endpoint: Endpoint,
  head: Head,
  signal?: AbortSignal,
): Promise<ReceiptsBy | null> {
  const ways: [ReceiptsBy, unknown][] = [
    ["hash", head.hash],
    ["hash-object", { blockHash: head.hash }],
    ["number", `0x${head.number.toString(16)}`],
  ];
  for (const [way, block] of ways) {
    const found = await unlessLacking(endpoint.request("eth_getBlockReceipts", [block], { signal }));
    // Null: this way is understood, and the head was dropped meanwhile.
    if (Array.isArray(found) || found === null) return way;
  }
  return null;
}

/** A refused batch teaches the endpoint itself. */
async function probeBatch(endpoint: Endpoint, signal?: AbortSignal): Promise<void> {
  if (endpoint.capabilities.batchSize < 2) return;
  await unlessLacking(endpoint.requestBatch("eth_chainId", [[], []], { signal }));
}

const lacking = Symbol("lacking");

/** The result; `lacking` when the endpoint answers that it cannot. */
async function unlessLacking(request: Promise<unknown>): Promise<unknown> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof EndpointError) return lacking;
    throw error;
  }
}
