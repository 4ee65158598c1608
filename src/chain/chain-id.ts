import { ConfigError } from "../errors.js";
import type { Endpoint } from "./endpoint.js";
import { fetchChainId } from "./fetch-head.js";

/** Throws a ConfigError when an endpoint serves another chain than the schema holds. */
export function checkChainId({
  endpoint,
  serves,
  holds,
}: {
  endpoint: string;
  serves: number;
  holds: number;
}): void {
  if (serves === holds) return;
  throw new ConfigError(
    `rpc.urls: ${endpoint} serves chain ${serves}, but the schema holds chain ${holds}: ` +
      "give each chain a schema of its own (database.schema)",
    { endpoint, serves, holds },
  );
}

/** The chain that an endpoint serves. */
export type ChainIdOf = (endpoint: Endpoint) => Promise<number>;

/** Asks each endpoint once. */
export function createChainIdOf(): ChainIdOf {
  const known = new Map<string, number>();
  return async (endpoint) => {
    const id = known.get(endpoint.name) ?? (await fetchChainId(endpoint));
    known.set(endpoint.name, id);
    return id;
  };
}
