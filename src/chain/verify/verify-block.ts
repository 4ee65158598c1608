import type { Block, Hex, Log } from "../../block.js";
import { CHEAP_CHECKS, CHECKS, type Check } from "../../fields/direct-layout.js";
import { BLOOM_BYTES, BloomMaker } from "./bloom.js";
import { type ChainRules, holds } from "./chain-rules.js";
import { checkBlooms, checkGas, checkIndexes } from "./cheap-checks.js";
import { checkBlobGas, checkContractAddresses, checkPrices } from "./derived-fields.js";
import { createKeccak, type Keccak } from "./keccak.js";
import { coverage, type OnDerived, type Proof } from "./proof.js";
import { RlpWriter } from "./rlp.js";
import {
  checkHash,
  checkReceiptsRoot,
  checkTransactionHashes,
  checkTransactionsRoot,
  checkUncles,
  checkWithdrawalsRoot,
} from "./root-checks.js";
import { checkSenders } from "./senders.js";
import { deriveSize } from "./size.js";

/** `bloom` makes the cheap checks alone, `roots` all of them, `off` none. */
export type VerifyLevel = "roots" | "bloom" | "off";

export interface VerifyOptions {
  level: VerifyLevel;
  rules: ChainRules;
  /** Who is blamed: the endpoint's name. */
  endpoint: string;
  /** With `roots`: recover each transaction's sender from its signature, about a millisecond each. */
  recoverSenders?: boolean;
  /** Lets the block be completed and corrected by what follows from its proven fields. Without it, it is proven as it is. */
  onDerived?: OnDerived;
}

/** The checks of one block. */
export interface Checks {
  /** One that does not hold refuses the block. */
  demanded: readonly Check[];
  /** The block has them if they hold, and is none the worse if they do not. */
  tried: readonly Check[];
}

/**
 * What was proven, in the order of CHECKS. Left out is what this block does not allow, or does not have: one from before
 * Shanghai has no withdrawals to be proven.
 */
export type Verified = readonly Check[];

export interface Verifier {
  /** Proves a block, or throws a VerificationError that names the first field that is wrong. */
  verifyBlock(block: Block, options: VerifyOptions): Verified;
  /** The same with these checks. */
  verifyChecks(block: Block, options: Omit<VerifyOptions, "level"> & Checks): Verified;
  /** The bloom filter of logs: what a receipt's `logsBloom` must be. */
  bloomOf(logs: readonly Log[]): Hex;
}

/**
 * Creates a verifier: one per process, for it holds a memory of at least 1 MiB and a cache of at most
 * about 3 MB. Its functions are synchronous, so blocks never meet in it.
 */
export function createVerifier({ keccak = createKeccak() }: { keccak?: Keccak } = {}): Verifier {
  const writer = new RlpWriter(keccak);
  const blooms = new BloomMaker(writer);
  const verifyChecks: Verifier["verifyChecks"] = (block, { demanded, tried, ...options }) => {
    const { rules, endpoint, onDerived = null } = options;
    const bytes = { header: 0, transactions: 0, withdrawals: 0 };
    const tools = { writer, blooms, onDerived, bytes };
    const proof = { block, rules, endpoint, checks: demanded, ...tools, ...coverage(block, rules) };
    try {
      const proven = demanded.filter((check) => prove(check, proof));
      deriveSize(proof);
      return tried.length === 0 ? proven : withTried(tried, proof, proven);
    } finally {
      // A check that threw left a part of what it wrote.
      writer.truncate(0);
    }
  };
  return {
    verifyChecks,
    verifyBlock: (block, options) =>
      verifyChecks(block, { ...options, ...checksAt(block.header.number, options) }),
    bloomOf(logs) {
      const filter = Buffer.alloc(BLOOM_BYTES);
      blooms.add(logs, filter, filter);
      return `0x${filter.toString("hex")}`;
    },
  };
}

const PROVE: Readonly<Record<Check, (proof: Proof) => void>> = {
  indexes: checkIndexes,
  gas: checkGas,
  logsBloom: checkBlooms,
  hash: checkHash,
  uncles: checkUncles,
  transactionHashes: checkTransactionHashes,
  transactionsRoot: checkTransactionsRoot,
  receiptsRoot: checkReceiptsRoot,
  withdrawalsRoot: checkWithdrawalsRoot,
  blobGas: checkBlobGas,
  prices: checkPrices,
  contractAddresses: checkContractAddresses,
  senders: checkSenders,
};

/** In this order: the header is proven first, so that what contradicts it later is what is wrong. */
const UNASKED: readonly Check[] = CHECKS.filter((check) => check !== "senders");

/** The checks that are made of a block of this number. */
export function checksAt(
  number: number,
  { level, rules, recoverSenders = false }: Omit<VerifyOptions, "endpoint" | "onDerived">,
): Checks {
  const asked = checksOf(level, recoverSenders);
  const demanded = asked.filter((check) => holds(rules, check, number));
  // Where the rules leave nothing out there is nothing to try.
  const isAll = level !== "roots" || demanded.length === asked.length;
  return { demanded, tried: isAll ? [] : asked.filter((check) => !demanded.includes(check)) };
}

function checksOf(level: VerifyLevel, recoverSenders: boolean): readonly Check[] {
  if (level === "off") return [];
  if (level === "bloom") return CHEAP_CHECKS;
  return recoverSenders ? CHECKS : UNASKED;
}

/** Whether the block has what a check is about. Some forks brought, and some chains never have it. */
export function isAbout(check: Check, { header }: Block): boolean {
  if (check === "withdrawalsRoot") return header.withdrawalsRoot !== null;
  if (check === "blobGas") return header.blobGasUsed !== null;
  return true;
}

/**
 * What is proven, and what holds of the tried. They are tried only where the block's hash is that of its header, which
 * costs one hash to find out: a root beside it would prove nothing, and that of an empty list stands on any chain.
 */
function withTried(tried: readonly Check[], proof: Proof, proven: Verified): Verified {
  const isHashed = proven.includes("hash") || (tried.includes("hash") && doesHold("hash", proof));
  if (!isHashed) return proven;
  const held = new Set<Check>([...proven, "hash"]);
  for (const check of tried) if (check !== "hash" && doesHold(check, proof)) held.add(check);
  return CHECKS.filter((check) => held.has(check));
}

/** Whatever it throws: what a chain makes of this is not Ethereum's, and nobody said that it would be. */
function doesHold(check: Check, proof: Proof): boolean {
  try {
    // As the block is: what follows only from a try is not put right.
    return prove(check, { ...proof, checks: [check], onDerived: null });
  } catch {
    return false;
  } finally {
    proof.writer.truncate(0);
  }
}

/** These need the encoding of every transaction in the block. */
const WHOLE: ReadonlySet<Check> = new Set([
  "transactionHashes",
  "transactionsRoot",
  "receiptsRoot",
  "senders",
]);

/** Makes a check. False if it proves nothing of the block, or not all of it, since it has opaque transactions. */
function prove(check: Check, proof: Proof): boolean {
  const whole = proof.encodable || !WHOLE.has(check);
  // Hashes and senders of the other transactions are worth comparing all the same.
  if (whole || check === "transactionHashes" || check === "senders") PROVE[check](proof);
  return whole && isAbout(check, proof.block);
}
