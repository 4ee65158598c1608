import type { BlockRef } from "../block.js";
import { BlockmillError } from "../errors.js";
import type { Endpoint } from "./endpoint/endpoint.js";
import { fetchHead, fetchHeaderByHash, fetchHeaderByNumber } from "./endpoint/fetch-head.js";
import { rulesFor } from "./verify/chain-rules.js";

/** The blocks around a number at which the chain has none: `child` names `parent` as its parent. */
export interface Absence {
  parent: BlockRef;
  child: BlockRef;
}

/** The chain has no block at this number: nothing is to be stored, and nothing is missing. */
export class AbsentBlockError extends BlockmillError {
  // For whoever does not ask which error it is.
  readonly disposition = "not-yet";
  readonly absence: Absence;
  readonly endpoint: string;

  constructor({ number, absence, endpoint }: { number: number; absence: Absence; endpoint: string }) {
    const { parent, child } = absence;
    super(`the chain has no block ${number}: the parent of block ${child.number} is block ${parent.number}`, {
      block: number,
      endpoint,
    });
    this.absence = absence;
    this.endpoint = endpoint;
  }
}

/** So many numbers in a row may have no block: after 900 epochs Filecoin's are final. */
export const mostSkipped = 900;

/** Whether an endpoint's chain may have no block at a number, as far as is known. */
export function maySkip({ capabilities }: Endpoint): boolean {
  return rulesFor(capabilities.chainId ?? 0).nullRounds;
}

/**
 * Proves that the chain has no block at a number that an endpoint has none for: the next block that there is names one
 * below the number as its parent. Null: that is not so, or not known yet, since no later block is there. Only for chains
 * whose rules say that this happens.
 */
export async function proveAbsence(
  endpoint: Endpoint,
  number: number,
  signal?: AbortSignal,
): Promise<Absence | null> {
  const head = await fetchHead(endpoint, signal);
  const last = Math.min(head.number, number + mostSkipped);
  for (let at = number + 1; at <= last; at += 1) {
    const child = at === head.number ? head : await fetchHeaderByNumber(endpoint, at, signal);
    if (child === null) continue;
    const wanted = { hash: child.parentHash, number: at - 1, skips: true };
    const parent = await fetchHeaderByHash(endpoint, wanted, signal);
    return parent.number < number ? { parent, child } : null;
  }
  return null;
}
