import type { Block, Hex, Log } from "../../block.js";
import { CHECKS, type Check } from "../../fields/direct-layout.js";
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

/** What was proven. Checks that the chain's rules skip, or that this block does not allow, are missing. */
export type Verified = readonly Check[];

export interface Verifier {
  /** Proves a block, or throws a VerificationError that names the first field that is wrong. */
  verifyBlock(block: Block, options: VerifyOptions): Verified;
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
  return {
    verifyBlock(block, { level, rules, endpoint, recoverSenders = false, onDerived = null }) {
      const checks = checksAt(block.header.number, { level, rules, recoverSenders });
      const bytes = { header: 0, transactions: 0, withdrawals: 0 };
      const proof = {
        block,
        rules,
        endpoint,
        checks,
        writer,
        blooms,
        onDerived,
        bytes,
        ...coverage(block, rules),
      };
      try {
        const verified = checks.filter((check) => prove(check, proof));
        deriveSize(proof);
        return verified;
      } finally {
        // A check that threw left a part of what it wrote.
        writer.truncate(0);
      }
    },
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

const CHEAP: readonly Check[] = ["indexes", "gas", "logsBloom"];

/** In this order: the header is proven first, so that what contradicts it later is what is wrong. */
const UNASKED: readonly Check[] = CHECKS.filter((check) => check !== "senders");

/** The checks that are made of a block of this number. */
export function checksAt(
  number: number,
  { level, rules, recoverSenders = false }: Omit<VerifyOptions, "endpoint" | "onDerived">,
): readonly Check[] {
  return checksOf(level, recoverSenders).filter((check) => holds(rules, check, number));
}

function checksOf(level: VerifyLevel, recoverSenders: boolean): readonly Check[] {
  if (level === "off") return [];
  if (level === "bloom") return CHEAP;
  return recoverSenders ? CHECKS : UNASKED;
}

/** These need the encoding of every transaction in the block. */
const WHOLE: ReadonlySet<Check> = new Set([
  "transactionHashes",
  "transactionsRoot",
  "receiptsRoot",
  "senders",
]);

/** Makes a check. False if it cannot prove the whole block, since the block has opaque transactions. */
function prove(check: Check, proof: Proof): boolean {
  const whole = proof.encodable || !WHOLE.has(check);
  // Hashes and senders of the other transactions are worth comparing all the same.
  if (whole || check === "transactionHashes" || check === "senders") PROVE[check](proof);
  return whole;
}
