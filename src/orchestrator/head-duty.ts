import type pg from "pg";
import { checkChainId, createChainIdOf } from "../chain/chain-id.js";
import type { Endpoints } from "../chain/endpoints.js";
import { fetchHead } from "../chain/fetch-head.js";
import type { Config } from "../config/schema.js";
import type { Log } from "../log.js";
import { readHead } from "../queue/head.js";
import { createFollower } from "./follow-head.js";
import type { Duty } from "./run-duties.js";

export interface HeadDutyOptions {
  pool: pg.Pool;
  endpoints: Endpoints;
  config: Config;
  log: Log;
}

/** The duty of following the head by asking for it. */
export function createHeadDuty({ pool, endpoints, config, log }: HeadDutyOptions): Duty {
  const chainIdOf = createChainIdOf();
  let follower: ReturnType<typeof createFollower> | undefined;
  return {
    name: "follow the head",
    async run() {
      const { name, chainId, head } = await endpoints.tryEach(async (endpoint) => ({
        name: endpoint.name,
        chainId: await chainIdOf(endpoint),
        head: await fetchHead(endpoint),
      }));
      const followed = await readHead(pool);
      if (followed !== null) checkChainId({ endpoint: name, serves: chainId, holds: followed.chainId });
      follower ??= createFollower({ pool, endpoints, config, chainId, log });
      const outcome = await follower.accept(head, name, { safe: null, finalized: null });
      if (outcome.kind === "enqueued" && outcome.blocks > 0)
        log.info({ head: head.number, blocks: outcome.blocks }, "new blocks");
      return outcome.kind === "unconfirmed" ? 500 : config.pipeline.check_interval * 1_000;
    },
  };
}
