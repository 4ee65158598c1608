import { setTimeout as sleep } from "node:timers/promises";
import type { Block } from "../block.js";
import { BlockNotFoundError } from "../errors.js";
import type { Endpoints } from "./endpoints.js";
import { fetchBlock, type WantedBlock } from "./fetch-block.js";
import type { Prove } from "./prove-block.js";

export interface ProvenBlock {
  block: Block;
  /** What was proven. */
  verified: readonly string[];
  /** The endpoint that served it. */
  endpoint: string;
  verifyMs: number;
}

export interface FetchProvenOptions {
  endpoints: Endpoints;
  prove: Prove;
  wanted: WantedBlock;
  signal: AbortSignal;
}

/**
 * Waits between looks for a block that was announced a moment ago: the endpoint that is asked may not be
 * the one that announced it, nor have its receipts yet. In milliseconds.
 */
const announcedWaitsMs = [20, 50, 100, 200, 400, 800];

/**
 * Fetches a block and proves it. Data that cannot be proven blames its endpoint, and another is tried.
 * A block that is wanted by its hash was announced: it is waited for a little, until some endpoint has it.
 */
export async function fetchProvenBlock(options: FetchProvenOptions): Promise<ProvenBlock> {
  const waits = options.wanted.hash === null ? [] : announcedWaitsMs;
  for (const waitMs of waits) {
    try {
      return await fetchOnce(options);
    } catch (error) {
      if (!(error instanceof BlockNotFoundError)) throw error;
      await sleep(waitMs, undefined, { signal: options.signal });
    }
  }
  return fetchOnce(options);
}

function fetchOnce({ endpoints, prove, wanted, signal }: FetchProvenOptions): Promise<ProvenBlock> {
  return endpoints.tryEach(
    async (endpoint, cancelled) => {
      const block = await fetchBlock(endpoint, wanted, cancelled);
      // Known: an endpoint is probed before its first work.
      const chainId = endpoint.capabilities.chainId ?? 0;
      const started = performance.now();
      const verified = prove(block, { endpoint: endpoint.name, chainId });
      return { block, verified, endpoint: endpoint.name, verifyMs: performance.now() - started };
    },
    { signal, block: wanted.number },
  );
}
