import type { Hex } from "../block.js";
import { BadResponseError, BlockNotFoundError } from "../errors.js";
import type { Endpoint } from "./endpoint.js";
import { type Head, parseHead } from "./parse/parse-head.js";

/** A header by its hash. Throws BlockNotFoundError when the endpoint does not have it. */
export async function fetchHeaderByHash(
  endpoint: Endpoint,
  { hash, number }: { hash: Hex; number: number },
): Promise<Head> {
  const raw = await endpoint.request("eth_getBlockByHash", [hash, false]);
  if (raw === null) {
    const facts = { endpoint: endpoint.name, block: number };
    throw new BlockNotFoundError(`${endpoint.name} does not have block ${number} with hash ${hash}`, facts);
  }
  const header = parseHead(raw, endpoint.name);
  check(endpoint, "hash", hash, header.hash);
  check(endpoint, "number", String(number), String(header.number));
  return header;
}

/** The header that an endpoint holds for canonical at a number; null: it has none. */
export async function fetchHeaderByNumber(endpoint: Endpoint, number: number): Promise<Head | null> {
  const raw = await endpoint.request("eth_getBlockByNumber", [`0x${number.toString(16)}`, false]);
  if (raw === null) return null;
  const header = parseHead(raw, endpoint.name);
  check(endpoint, "number", String(number), String(header.number));
  return header;
}

function check(endpoint: Endpoint, field: string, expected: string, actual: string): void {
  if (expected !== actual) throw new BadResponseError({ endpoint: endpoint.name, field, expected, actual });
}
