import type { Hex } from "../block.js";
import type { Endpoint } from "../chain/endpoint/endpoint.js";
import { fetchHeaderByHash, fetchHeaderByNumber } from "../chain/endpoint/fetch-head.js";
import type { Endpoints } from "../chain/endpoints.js";
import type { Head } from "../chain/parse/parse-head.js";
import { mostSkipped } from "../chain/prove-absence.js";
import { BlockNotFoundError } from "../errors.js";
import { CanonicalView, extendView } from "./canonical-view.js";

/** Where headers come from. Each throws a BlockNotFoundError when there is no such header. */
export interface HeaderSource {
  /** Whether the chain may have no block at a number: then a parent may be more than one below. */
  skips: boolean;
  fetchByHash(hash: Hex, number: number): Promise<Head>;
  /** The header that is canonical at a number. */
  headerAt(number: number): Promise<Head>;
  /** The same, or, where the chain has no block at the number, the one before it. */
  headerUpTo(number: number): Promise<Head>;
  /** Several of them, which need not be of one branch. Numbers that the chain skips are left out. */
  fetchByNumber(numbers: number[]): Promise<Head[]>;
  /** The header's ancestors from `lowest` on, and itself, by walking parents. */
  walkDown(top: Head, lowest: number): Promise<readonly Head[]>;
}

/** Asks the endpoint that told of a head, which has it for sure; when it fails, any other. */
export function askForHeaders(
  endpoints: Endpoints,
  name: string,
  { skips = false }: { skips?: boolean } = {},
): HeaderSource {
  const teller = endpoints.all.find((endpoint) => endpoint.name === name);
  const ask = async <T>(work: (endpoint: Endpoint) => Promise<T>): Promise<T> => {
    if (teller === undefined) return endpoints.tryEach(work);
    try {
      return await work(teller);
    } catch (error) {
      if (endpoints.all.length < 2) throw error;
      return endpoints.tryEach(work, { except: [name] });
    }
  };
  const source: HeaderSource = {
    skips,
    fetchByHash: (hash, number) => ask((endpoint) => fetchHeaderByHash(endpoint, { hash, number, skips })),
    headerAt: (number) => ask((endpoint) => canonicalAt(endpoint, number)),
    headerUpTo: (number) =>
      ask((endpoint) => (skips ? canonicalUpTo(endpoint, number) : canonicalAt(endpoint, number))),
    async fetchByNumber(numbers) {
      const at = (endpoint: Endpoint) => (number: number) =>
        skips ? fetchHeaderByNumber(endpoint, number) : canonicalAt(endpoint, number);
      const headers = await ask((endpoint) => Promise.all(numbers.map(at(endpoint))));
      return headers.filter((header) => header !== null);
    },
    async walkDown(top, lowest) {
      const { view } = await extendView(new CanonicalView(), { head: top, lowest, ...source });
      return view.headers;
    },
  };
  return source;
}

async function canonicalUpTo(endpoint: Endpoint, number: number): Promise<Head> {
  for (let at = number; at > number - mostSkipped && at >= 0; at -= 1) {
    const header = await fetchHeaderByNumber(endpoint, at);
    if (header !== null) return header;
  }
  return canonicalAt(endpoint, number);
}

async function canonicalAt(endpoint: Endpoint, number: number): Promise<Head> {
  const header = await fetchHeaderByNumber(endpoint, number);
  if (header !== null) return header;
  const facts = { endpoint: endpoint.name, block: number };
  throw new BlockNotFoundError(`${endpoint.name} does not have block ${number}`, facts);
}
