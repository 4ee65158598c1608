import type { Block } from "../block.js";
import type { Logger } from "../logger.js";
import { type ChainRules, exceptionsOf, rulesFor } from "./verify/chain-rules.js";
import { createVerifier, type Verified, type VerifyLevel } from "./verify/verify-block.js";

/** Proves a block that `endpoint` served, or throws a VerificationError that blames it. */
export type Prove = (block: Block, served: { endpoint: string; chainId: number }) => Verified;

export interface ProveOptions {
  level: VerifyLevel;
  recoverSenders: boolean;
  /** Told of the rules of each block's chain. */
  onRules: (rules: ChainRules) => void;
}

/** A prover. */
export function createProve({ level, recoverSenders, onRules }: ProveOptions): Prove {
  const verifier = createVerifier();
  return (block, { endpoint, chainId }) => {
    const rules = rulesFor(chainId);
    onRules(rules);
    return verifier.verifyBlock(block, { level, rules, endpoint, recoverSenders });
  };
}

/** Warns once of the checks that the chain is known not to hold. */
export function warnOfExceptions({
  level,
  log,
}: {
  level: VerifyLevel;
  log: Logger;
}): ProveOptions["onRules"] {
  let warned = level === "off";
  return (rules) => {
    if (warned) return;
    warned = true;
    for (const exception of exceptionsOf(rules)) log.warn({ exception }, "not proven on this chain");
  };
}
