import type pg from "pg";
import { checkChainId } from "../chain/chain-id.js";
import type { Endpoint } from "../chain/endpoint.js";
import type { Endpoints } from "../chain/endpoints.js";
import { fetchChainId, fetchHead } from "../chain/fetch-head.js";
import type { Config } from "../config/schema.js";
import type { Log } from "../log.js";
import { advanceHead, readHead } from "../queue/head.js";

export interface FollowerOptions {
  pool: pg.Pool;
  endpoints: Endpoints;
  config: Config;
  log: Log;
}

/** Follows the chain's head: `look` asks an endpoint for it and enqueues what is new. */
export function createFollower({ pool, endpoints, config, log }: FollowerOptions) {
  const chainIds = new Map<string, number>();

  const chainIdOf = async (endpoint: Endpoint): Promise<number> => {
    const known = chainIds.get(endpoint.name) ?? (await fetchChainId(endpoint));
    chainIds.set(endpoint.name, known);
    return known;
  };

  return {
    /** Throws a ConfigError when the endpoint serves another chain than the schema holds. */
    async look(): Promise<void> {
      const { chainId, head, name } = await endpoints.tryEach(async (endpoint) => ({
        name: endpoint.name,
        chainId: await chainIdOf(endpoint),
        head: await fetchHead(endpoint),
      }));
      const followed = await readHead(pool);
      if (followed !== null) checkChainId({ endpoint: name, serves: chainId, holds: followed.chainId });
      const due = await advanceHead(pool, {
        chainId,
        head,
        startBlock: config.chain.start_block,
        priorityBlocks: config.pipeline.priority_blocks,
        autoEnqueue: config.pipeline.auto_enqueue,
      });
      if (due > 0) log.info({ head: head.number, blocks: due }, "new blocks");
    },
  };
}
