import { BadResponseError } from "../errors.js";
import type { Endpoint } from "./endpoint.js";
import { type Head, parseHead } from "./parse/parse-head.js";

/** The newest block of an endpoint. */
export async function fetchHead(endpoint: Endpoint, signal?: AbortSignal): Promise<Head> {
  return parseHead(
    await endpoint.request("eth_getBlockByNumber", ["latest", false], { signal }),
    endpoint.name,
  );
}

/** The chain that an endpoint serves. */
export async function fetchChainId(endpoint: Endpoint, signal?: AbortSignal): Promise<number> {
  const raw = await endpoint.request("eth_chainId", [], { signal });
  const id = typeof raw === "string" && /^0x[0-9a-f]+$/i.test(raw) ? Number(raw) : Number.NaN;
  if (!Number.isSafeInteger(id) || id <= 0) {
    const actual = JSON.stringify(raw)?.slice(0, 80) ?? "nothing";
    throw new BadResponseError({
      endpoint: endpoint.name,
      field: "eth_chainId",
      expected: "a chain id",
      actual,
    });
  }
  return id;
}
