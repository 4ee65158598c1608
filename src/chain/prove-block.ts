import type { Block } from "../block.js";
import type { Logger } from "../logger.js";
import { describeValue } from "./parse/describe-value.js";
import type { Lenience } from "./parse/parse-block.js";
import { type ChainRules, exceptionsOf, rulesFor } from "./verify/chain-rules.js";
import type { Derivation } from "./verify/proof.js";
import { checksAt, createVerifier, type Verified, type VerifyLevel } from "./verify/verify-block.js";

/** Who served a block, of which chain. */
export interface ServedBy {
  endpoint: string;
  chainId: number;
}

export interface Prove {
  /**
   * Proves a block that `endpoint` served, or throws a VerificationError that blames it. What follows from proven fields is
   * put right in the block.
   */
  (block: Block, served: ServedBy): Verified;
  /** What will not be proven of the block of this number. */
  lenience(number: number, chainId: number): Lenience;
}

export interface ProveOptions {
  level: VerifyLevel;
  recoverSenders: boolean;
  /** Told of the rules of each block's chain. */
  onRules: (rules: ChainRules) => void;
  /** Told of what an endpoint said otherwise than the block that was proven has it. */
  onDerived?: (derivation: Derivation & { endpoint: string; block: number }) => void;
}

/** A prover. */
export function createProve({ level, recoverSenders, onRules, onDerived }: ProveOptions): Prove {
  const verifier = createVerifier();
  const prove = (block: Block, { endpoint, chainId }: ServedBy): Verified => {
    const rules = rulesFor(chainId);
    onRules(rules);
    const derived: Derivation[] = [];
    const verified = verifier.verifyBlock(block, {
      ...{ level, rules, endpoint, recoverSenders },
      onDerived: (each) => derived.push(each),
    });
    for (const each of derived) onDerived?.({ ...each, endpoint, block: block.header.number });
    return verified;
  };
  const lenience = (number: number, chainId: number): Lenience => {
    const { demanded: checks } = checksAt(number, { level, rules: rulesFor(chainId) });
    return {
      header: !checks.includes("hash"),
      transactions: !checks.includes("transactionHashes"),
      receipts: !checks.includes("receiptsRoot"),
      indexes: !checks.includes("indexes"),
    };
  };
  return Object.assign(prove, { lenience });
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

/** Warns once of each endpoint and field. What an endpoint merely does not say is no reason to. */
export function warnOfDerivations(log: Logger): NonNullable<ProveOptions["onDerived"]> {
  const warned = new Set<string>();
  return ({ endpoint, block, field, told, derived }) => {
    const key = `${endpoint} ${field.replace(/\[\d+\]/g, "[]")}`;
    if (told === null || warned.has(key)) return;
    warned.add(key);
    log.warn(
      { endpoint, block, field, told: describeValue(told), derived: describeValue(derived) },
      "an endpoint says otherwise than what follows from the proven block, which is stored",
    );
  };
}
