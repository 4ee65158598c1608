import type { Block } from "../block.js";
import type { Log } from "../log.js";
import { exceptionsOf, rulesFor } from "./verify/chain-rules.js";
import { createVerifier, type Verified, type VerifyLevel } from "./verify/verify-block.js";

/** Proves a block that `endpoint` served, or throws a VerificationError that blames it. */
export type Prove = (block: Block, served: { endpoint: string; chainId: number }) => Verified;

export interface ProveOptions {
  level: VerifyLevel;
  recoverSenders: boolean;
  log: Log;
}

/** A prover. Checks that the chain is known not to hold are warned about once. */
export function createProve({ level, recoverSenders, log }: ProveOptions): Prove {
  const verifier = createVerifier();
  let warned = false;
  return (block, { endpoint, chainId }) => {
    const rules = rulesFor(chainId);
    if (!warned && level !== "off") {
      warned = true;
      for (const exception of exceptionsOf(rules)) log.warn({ exception }, "not proven on this chain");
    }
    return verifier.verifyBlock(block, { level, rules, endpoint, recoverSenders });
  };
}
