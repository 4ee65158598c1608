// Endpoints inside this process, over the fixture node's chain of real blocks: no sockets, so that
// thousands of scripts run in a minute, and every request can be made to wait.

import { Canonical } from "../../bench/fixture-node/canonical.js";
import { Chain } from "../../bench/fixture-node/chain.js";
import { chainOptions } from "../../bench/fixture-node/chain-options.js";
import { answerMethod } from "../../bench/fixture-node/methods.js";
import type { Faults, Json } from "../../bench/fixture-node/protocol.js";
import { View } from "../../bench/fixture-node/view.js";
import type { Hex } from "../../src/block.js";
import type { Answered, Endpoint } from "../../src/chain/endpoint/endpoint.js";
import { fetchHead } from "../../src/chain/endpoint/fetch-head.js";
import type { Endpoints } from "../../src/chain/endpoints.js";
import type { Head } from "../../src/chain/parse/parse-head.js";
import { EndpointUnavailableError } from "../../src/errors.js";

/** What goes wrong at an endpoint. */
export type ScriptedFaults = Pick<Faults, "headLag" | "head" | "branch" | "forgetsOrphans" | "chainId"> & {
  /** Answers nothing. */
  isDown?: boolean;
};

export interface ScriptedChain {
  readonly canonical: Canonical;
  readonly endpoints: Endpoints;
  /** Of each endpoint; theirs to change. */
  readonly faults: ScriptedFaults[];
  /** Waited for before every answer. */
  beforeAnswer: (call: { endpoint: string; method: string; params: unknown[] }) => Promise<void>;
  /** The head as an endpoint tells it. */
  headOf(endpoint: number): Promise<Head>;
  /** A canonical block, or one of another branch. */
  raw(number: number, branch?: string): { hash: Hex; block: Json; receipts: Json[] };
}

export interface ScriptedOptions {
  head?: number;
  endpoints?: number;
  transactions?: number;
  seed?: number;
}

/** A chain of its own, and as many endpoints as asked for, named node-0, node-1, ... */
export function scriptChain(options: ScriptedOptions = {}): ScriptedChain {
  const { head = 20, endpoints: count = 1, transactions = 1, seed = 1 } = options;
  const wishes = { seed, transactions, logsPerTransaction: 1, signatures: "random" } as const;
  const canonical = new Canonical(new Chain(chainOptions(wishes)), { head });
  const faults: ScriptedFaults[] = Array.from({ length: count }, () => ({}));
  const all = faults.map((_, i) => scriptEndpoint(i));
  let turn = 0;

  function scriptEndpoint(index: number): Endpoint {
    const name = `node-${index}`;
    const view = new View({ canonical, faults: () => faults[index] ?? {}, finalityDepth: () => 1_000_000 });
    const answerTo = async (method: string, params: unknown[]): Promise<Buffer> => {
      await scripted.beforeAnswer({ endpoint: name, method, params });
      if (faults[index]?.isDown) throw new EndpointUnavailableError(`${name} is down`, { endpoint: name });
      const answer = answerMethod(view, { method, params, lacks: [] });
      if (!Buffer.isBuffer(answer)) throw new Error(`${method}: ${answer.message}`);
      return answer;
    };
    const request: Endpoint["request"] = async (method, params) =>
      JSON.parse((await answerTo(method, params)).toString()) as unknown;
    const requestAnswer: Endpoint["requestAnswer"] = async (method, params) => {
      const sent = performance.now();
      const answer = await answerTo(method, params);
      return answered(answer, performance.now() - sent);
    };
    return {
      name,
      weight: 1,
      canPush: false,
      logRange: undefined,
      capabilities: {
        chainId: 1,
        receiptsBy: "hash",
        finalized: false,
        safe: false,
        batchSize: 100,
        lowestBlock: 0,
      },
      learn: () => {},
      receiptsRefused: 0,
      setShare: () => {},
      load: { inFlight: 0, waiting: 0, limit: 1, latencyMs: undefined, silentMs: undefined },
      request,
      requestAnswer,
      requestBatch: (method, calls) => Promise.all(calls.map((params) => request(method, params))),
      subscribe: () => Promise.reject(new Error("it cannot push")),
      close: () => {},
    };
  }

  const endpoints: Endpoints = {
    all,
    async tryEach(work, { except = [], signal } = {}) {
      let failure: unknown = new EndpointUnavailableError("nobody is left to be asked");
      turn += 1;
      for (let i = 0; i < all.length; i += 1) {
        const endpoint = all[(i + turn) % all.length];
        if (endpoint === undefined || except.includes(endpoint.name)) continue;
        try {
          return await work(endpoint, signal ?? new AbortController().signal);
        } catch (error) {
          failure = error;
        }
      }
      throw failure;
    },
    ready: async () => {},
    blame: () => {},
    sawHead: () => {},
    expectChain: () => {},
    setShare: () => {},
    status: () => [],
    close: async () => {},
  };

  const scripted: ScriptedChain = {
    canonical,
    endpoints,
    faults,
    beforeAnswer: async () => {},
    async headOf(index) {
      const endpoint = all[index];
      if (endpoint === undefined) throw new Error(`there is no endpoint ${index}`);
      return fetchHead(endpoint);
    },
    raw(number, branch = canonical.branch) {
      const block = canonical.chain.block(branch, number);
      if (block === undefined) throw new Error(`there is no block ${number}`);
      return {
        hash: block.hash as Hex,
        block: JSON.parse(block.read("full").toString()) as Json,
        receipts: JSON.parse(block.read("receipts").toString()) as Json[],
      };
    },
  };
  return scripted;
}

/** A result as it comes over HTTP. */
function answered(json: Buffer, tookMs: number): Answered {
  const result = (): unknown => JSON.parse(json.toString()) as unknown;
  const chunks = [Buffer.from('{"jsonrpc":"2.0","id":1,"result":'), json, Buffer.from("}")];
  const size = chunks.reduce((sum, { length }) => sum + length, 0);
  return { bytes: { chunks, size, id: 1, parse: () => ({ result: result() }) }, tookMs, result };
}
