import { ConfigError } from "../errors.js";

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
