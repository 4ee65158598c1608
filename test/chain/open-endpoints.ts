import type { TestContext } from "node:test";
import type { EndpointOptions } from "../../src/chain/endpoint/endpoint.js";
import { createEndpoints, type Endpoints, type EndpointsOptions } from "../../src/chain/endpoints.js";

/** Endpoints named a, b, c, ... for the URLs; closed after the test. */
export function openEndpoints(
  t: TestContext,
  urls: readonly string[],
  options: Partial<EndpointOptions> & Omit<EndpointsOptions, "endpoints"> = {},
): Endpoints {
  const { chainId, noSayAfterMs, onFailure, ...shared } = options;
  const endpoints = createEndpoints({
    chainId,
    noSayAfterMs,
    ...(onFailure === undefined ? {} : { onFailure }),
    endpoints: urls.map((url, i) => ({
      timeoutMs: 2_000,
      maxResponseBytes: 4_194_304,
      ...shared,
      url,
      name: String.fromCharCode(97 + i),
    })),
  });
  t.after(() => endpoints.close());
  return endpoints;
}

/** The error that a promise rejects with. */
export async function failureOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}
