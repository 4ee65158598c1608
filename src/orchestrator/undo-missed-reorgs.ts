import { setTimeout as sleep } from "node:timers/promises";
import { fetchHead } from "../chain/endpoint/fetch-head.js";
import { readHead } from "../queue/head.js";
import { createFollower, type FollowerOptions } from "./follow-head.js";

/** A branch that two endpoints do not agree on is looked at so often; then the daemon starts all the same. */
const looks = 5;
const lookAgainMs = 300;

/**
 * Finds a reorg that happened while nobody followed the chain, and undoes it; new blocks are enqueued on
 * the way. To be called before any worker starts: jobs may still ask for blocks of the dropped branch,
 * and nodes keep such blocks for long. In a schema that never followed a chain it does nothing. Throws
 * what endpoints and the database throw; then it is the leading orchestrator that finds it.
 */
export async function undoMissedReorgs(options: Omit<FollowerOptions, "chainId">): Promise<void> {
  const { pool, endpoints } = options;
  const followed = await readHead(pool);
  if (followed === null) return;
  endpoints.expectChain(followed.chainId);
  const follower = createFollower({ ...options, chainId: followed.chainId });
  for (let look = 1; look <= looks; look += 1) {
    const [name, head] = await endpoints.tryEach(
      async (endpoint, signal) => [endpoint.name, await fetchHead(endpoint, signal)] as const,
    );
    const { kind } = await follower.accept(head, name, { safe: null, finalized: followed.finalizedBlock });
    if (kind !== "unconfirmed") return;
    await sleep(lookAgainMs);
  }
}
