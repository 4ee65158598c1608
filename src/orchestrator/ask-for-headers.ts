import type { Hex } from "../block.js";
import type { Endpoint } from "../chain/endpoint/endpoint.js";
import { fetchHeaderByHash, fetchHeaderByNumber } from "../chain/endpoint/fetch-head.js";
import type { Endpoints } from "../chain/endpoints.js";
import type { Head } from "../chain/parse/parse-head.js";
import { BlockNotFoundError } from "../errors.js";
import { CanonicalView, extendView } from "./canonical-view.js";

/** Where headers come from. Each throws a BlockNotFoundError when there is no such header. */
export interface HeaderSource {
  fetchByHash(hash: Hex, number: number): Promise<Head>;
  /** The header that is canonical at a number. */
  headerAt(number: number): Promise<Head>;
  /** Several of them, which need not be of one branch. */
  fetchByNumber(numbers: number[]): Promise<Head[]>;
  /** The header's ancestors from `lowest` on, and itself, by walking parents. */
  walkDown(top: Head, lowest: number): Promise<readonly Head[]>;
}

/** Asks the endpoint that told of a head, which has it for sure; when it fails, any other. */
export function askForHeaders(endpoints: Endpoints, name: string): HeaderSource {
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
    fetchByHash: (hash, number) => ask((endpoint) => fetchHeaderByHash(endpoint, { hash, number })),
    headerAt: (number) => ask((endpoint) => canonicalAt(endpoint, number)),
    fetchByNumber: (numbers) =>
      ask((endpoint) => Promise.all(numbers.map((number) => canonicalAt(endpoint, number)))),
    async walkDown(top, lowest) {
      const { view } = await extendView(new CanonicalView(), { head: top, lowest, ...source });
      return view.headers;
    },
  };
  return source;
}

async function canonicalAt(endpoint: Endpoint, number: number): Promise<Head> {
  const header = await fetchHeaderByNumber(endpoint, number);
  if (header !== null) return header;
  const facts = { endpoint: endpoint.name, block: number };
  throw new BlockNotFoundError(`${endpoint.name} does not have block ${number}`, facts);
}
