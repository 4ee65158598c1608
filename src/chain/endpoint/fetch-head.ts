import type { Hex } from "../../block.js";
import { BadResponseError, BlockNotFoundError } from "../../errors.js";
import { parseChainId } from "../parse/parse-chain-id.js";
import { type Head, parseHead } from "../parse/parse-head.js";
import type { Endpoint } from "./endpoint.js";

/** The newest block of an endpoint. */
export async function fetchHead(endpoint: Endpoint, signal?: AbortSignal): Promise<Head> {
  const raw = await endpoint.request("eth_getBlockByNumber", ["latest", false], { signal });
  return parseHead(raw, endpoint.name);
}

/** The header that is canonical at a number, as the endpoint sees it; null: it does not have it (yet). */
export async function fetchHeaderByNumber(
  endpoint: Endpoint,
  number: number,
  signal?: AbortSignal,
): Promise<Head | null> {
  const quantity = `0x${number.toString(16)}`;
  const raw = await orNull(endpoint.request("eth_getBlockByNumber", [quantity, false], { signal }));
  if (raw === null) return null;
  const head = parseHead(raw, endpoint.name);
  expectSame(endpoint, { block: number, field: "number", expected: number, actual: head.number });
  return head;
}

/**
 * The header with a hash, at the number, or, where the chain may `skip` some, at or below it. Throws BlockNotFoundError
 * when the endpoint does not have it.
 */
export async function fetchHeaderByHash(
  endpoint: Endpoint,
  { hash, number, skips = false }: { hash: Hex; number: number; skips?: boolean },
  signal?: AbortSignal,
): Promise<Head> {
  const raw = await endpoint.request("eth_getBlockByHash", [hash, false], { signal });
  if (raw === null) {
    throw new BlockNotFoundError(`${endpoint.name} does not have block ${number} with hash ${hash}`, {
      endpoint: endpoint.name,
      block: number,
    });
  }
  const head = parseHead(raw, endpoint.name);
  expectSame(endpoint, { block: number, field: "hash", expected: hash, actual: head.hash });
  if (!skips || head.number > number)
    expectSame(endpoint, { block: number, field: "number", expected: number, actual: head.number });
  return head;
}

/** The block behind a tag; null: the chain has none yet. Throws EndpointError where the tag is unknown. */
export async function fetchTag(
  endpoint: Endpoint,
  tag: "safe" | "finalized",
  signal?: AbortSignal,
): Promise<Head | null> {
  const raw = await orNull(endpoint.request("eth_getBlockByNumber", [tag, false], { signal }));
  return raw === null ? null : parseHead(raw, endpoint.name);
}

/** The chain that an endpoint serves. */
export async function fetchChainId(endpoint: Endpoint, signal?: AbortSignal): Promise<number> {
  return parseChainId(await endpoint.request("eth_chainId", [], { signal }), endpoint.name);
}

/** Null also where an endpoint says by an error that it does not have the block. */
async function orNull(request: Promise<unknown>): Promise<unknown> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof BlockNotFoundError) return null;
    throw error;
  }
}

function expectSame(
  endpoint: Endpoint,
  seen: { block: number; field: string; expected: string | number; actual: string | number },
): void {
  const { block, field, expected, actual } = seen;
  if (expected === actual) return;
  throw new BadResponseError({
    endpoint: endpoint.name,
    block,
    field,
    expected: String(expected),
    actual: String(actual),
  });
}
