import { setTimeout as sleep } from "node:timers/promises";
import type { Hex } from "../block.js";
import type { Endpoint } from "../chain/endpoint.js";
import type { Endpoints } from "../chain/endpoints.js";
import { fetchHead } from "../chain/fetch-head.js";
import { fetchHeaderByNumber } from "../chain/fetch-header.js";

export interface BranchClaim {
  /** A block that only the new branch has. */
  number: number;
  hash: Hex;
  /** The new branch's tip. */
  tip: number;
  toldBy: string;
}

/** A node that is so many blocks behind the new branch's tip is lagging: its word about it does not count. */
const laggingBy = 3;
/** How long an endpoint that stands alone is given to change its mind. */
const secondThoughtMs = 150;

/**
 * Asks a second endpoint whether it has the block that only the new branch has, before anything is
 * removed. Where there is no other, or the others are down or lagging, the same endpoint is asked again.
 * Returns the endpoint that confirmed it; null: it is contradicted, and nothing may be removed.
 */
export async function confirmBranch(endpoints: Endpoints, claim: BranchClaim): Promise<string | null> {
  const other = await askAnother(endpoints, claim);
  if (other === "contradicted") return null;
  if (other !== "nobody") return other;
  await sleep(secondThoughtMs);
  const again = endpoints.all.find(({ name }) => name === claim.toldBy);
  if (again === undefined) return null;
  return (await hashAt(again, claim.number)) === claim.hash ? again.name : null;
}

async function askAnother(
  endpoints: Endpoints,
  claim: BranchClaim,
): Promise<string | "contradicted" | "nobody"> {
  if (endpoints.all.length < 2) return "nobody";
  try {
    return await endpoints.tryEach(
      async (endpoint) => {
        if ((await hashAt(endpoint, claim.number)) === claim.hash) return endpoint.name;
        const head = await fetchHead(endpoint);
        return head.number <= claim.tip - laggingBy ? "nobody" : "contradicted";
      },
      { except: [claim.toldBy] },
    );
  } catch {
    // None of the others answers.
    return "nobody";
  }
}

async function hashAt(endpoint: Endpoint, number: number): Promise<Hex | null> {
  return (await fetchHeaderByNumber(endpoint, number))?.hash ?? null;
}
