import { ChangedChainError, dispositionOf, EndpointUnavailableError } from "../../errors.js";
import { parseChainId } from "../parse/parse-chain-id.js";
import { rpcError } from "./endpoint-error.js";
import type { Guard, RpcAnswer, RpcCall } from "./wire.js";

const method = "eth_chainId";

export interface GuardOptions {
  /** The endpoint's name. */
  name: string;
  /** The chain that every connection must lead to; null: not known yet, and any will do. */
  expected(): number | null;
}

/**
 * Asks each new connection for its chain before anything else is sent over it: another program may listen behind the same
 * URL since the last one was made. A kept connection is not asked again.
 */
export class ConnectionGuard implements Guard {
  readonly #options: GuardOptions;
  /** By the connection, or its socket: what it said, or is asked now. */
  readonly #chains = new WeakMap<object, number | Promise<number>>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  mayPass(connection: object, asked?: string): boolean {
    const expected = this.#options.expected();
    return expected === null || asked === method || this.#chains.get(connection) === expected;
  }

  async check(connection: object, send: (call: RpcCall) => Promise<RpcAnswer>): Promise<void> {
    const { name, expected } = this.#options;
    const asked = this.#chains.get(connection) ?? this.#ask(send);
    this.#chains.set(connection, asked);
    let serves: number;
    try {
      serves = await asked;
    } catch (error) {
      this.#chains.delete(connection);
      throw error;
    }
    this.#chains.set(connection, serves);
    const wanted = expected();
    if (wanted !== null && serves !== wanted)
      throw changedChain({ endpoint: name, serves, expected: wanted });
  }

  /** The chain that whatever `send` reaches tells. */
  async #ask(send: (call: RpcCall) => Promise<RpcAnswer>): Promise<number> {
    const { name: endpoint } = this.#options;
    const answer = await send({ method, params: [] });
    if ("result" in answer) return parseChainId(answer.result, endpoint);
    const error = rpcError(answer.error, { endpoint, method });
    if (dispositionOf(error) === "wait") throw error;
    // It is no block's fault.
    throw new EndpointUnavailableError(error.message, { endpoint }, { cause: error });
  }
}

/** The error of an endpoint that served the right chain before. */
export function changedChain(facts: {
  endpoint: string;
  serves: number;
  expected: number;
}): ChangedChainError {
  const { endpoint, serves, expected } = facts;
  return new ChangedChainError(
    `${endpoint} serves chain ${serves} now, and served chain ${expected} before: it is not asked until it does so again`,
    facts,
  );
}
