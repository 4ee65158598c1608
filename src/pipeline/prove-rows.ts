import type { Block, Log } from "../block.js";
import type { ChainRules } from "../chain/verify/chain-rules.js";
import { VerificationError } from "../chain/verify/verification-error.js";
import {
  type Checks,
  checksAt,
  isAbout,
  type Verified,
  type Verifier,
  type VerifyLevel,
} from "../chain/verify/verify-block.js";
import { decodeTokenTransfers, type TokenTransfer } from "../decode/decode-token-transfers.js";
import { describeError } from "../errors.js";
import { CHECKS, type Check } from "../fields/direct-layout.js";
import type { LoadedBlock } from "../store/load-blocks.js";
import type { Contradiction } from "../store/stored-row.js";

export interface Prover {
  verifier: Verifier;
  rules: ChainRules;
  /** What is demanded of every block: chain.verify. What was proven when a block was stored is demanded of it in any case. */
  level: VerifyLevel;
  recoverSenders: boolean;
}

/** What became of a block's proof. */
export interface RowsProof {
  /** What contradicts other rows, the digest, or what is demanded. */
  wrong: Contradiction[];
  /** Where nothing is wrong: what had to hold for the block to be proven, and does not, though nobody demands it. */
  unproven: readonly Check[];
  /** What holds of the block. */
  proven: Verified;
}

/** With these a block's rows follow from its hash. On chains whose rules leave one of them out a block may be as it was written, and is not proven. */
const CORE: readonly Check[] = ["hash", "transactionsRoot", "receiptsRoot"];

/**
 * Proves one block from what was read of it. `digest` is that of its rows as they are now. Pure.
 */
export function proveRows(
  { rebuilt, contradictions, digest: written, number, verified }: LoadedBlock,
  { digest, ...prover }: Prover & { digest: string | undefined },
): RowsProof {
  const wrong = [...contradictions];
  let proven: Verified = [];
  if (rebuilt !== null) {
    const proof = proveBlock(rebuilt.block, checksOf(number, verified, prover), prover);
    wrong.push(...proof.wrong);
    proven = proof.proven;
    wrong.push(...compareTransfers(decodeTokenTransfers(rebuilt.block), rebuilt.tokenTransfers));
  }
  // It is undefined where no program wrote such a version: `contradictions` says so.
  if (digest !== undefined && written !== digest) {
    const [expected, actual] = [written ?? "32 bytes", written === null ? "none" : String(digest)];
    wrong.push({ table: "blocks", field: "digest", expected, actual });
  }
  if (wrong.length > 0 || rebuilt === null) return { wrong, unproven: [], proven };
  const { demanded } = checksAt(number, { ...prover, level: "roots" });
  const needed = CHECKS.filter((check) => demanded.includes(check) || CORE.includes(check));
  const unproven = needed.filter((check) => isAbout(check, rebuilt.block) && !proven.includes(check));
  return { wrong, unproven, proven };
}

/** Demanded is what chain.verify and the chain's rules say, and what held when the block was stored. The rest is tried. */
function checksOf(number: number, verified: readonly unknown[], prover: Prover): Checks {
  const asked = CHECKS.filter((check) => check !== "senders" || prover.recoverSenders);
  const chosen = checksAt(number, prover).demanded;
  const demanded = asked.filter((check) => chosen.includes(check) || verified.includes(check));
  return { demanded, tried: asked.filter((check) => !demanded.includes(check)) };
}

function proveBlock(
  block: Block,
  checks: Checks,
  { verifier, rules }: Prover,
): Pick<RowsProof, "wrong" | "proven"> {
  try {
    const proven = verifier.verifyChecks(block, { ...checks, rules, endpoint: "the database" });
    return { wrong: [], proven };
  } catch (error) {
    if (error instanceof VerificationError) {
      const { field, expected, actual } = error.facts as Record<"field" | "expected" | "actual", string>;
      return { wrong: [{ table: tableOf(field), field, expected, actual }], proven: [] };
    }
    // Rows may hold anything. One block that cannot even be encoded must not keep the others from being proven.
    const expected = "a block that can be encoded";
    const actual = `${block.header.number}: ${describeError(error)}`;
    return { wrong: [{ table: "blocks", field: "number", expected, actual }], proven: [] };
  }
}

/** Where to look for what the verification complains of: the header itself is proven first. */
function tableOf(field: string): string {
  if (field === "transactionsRoot" || field.startsWith("transactions[")) return "transactions";
  if (field === "withdrawalsRoot" || field.startsWith("withdrawals")) return "withdrawals";
  if (field.includes(".logs[")) return "logs";
  if (field === "receiptsRoot" || field.startsWith("receipts[")) return "transactions, logs";
  return "blocks";
}

/** The stored token transfers are those that the logs decode to. */
function compareTransfers(
  decoded: readonly TokenTransfer[],
  stored: readonly TokenTransfer[],
): Contradiction[] {
  const wrong: Contradiction[] = [];
  const left = new Map(stored.map((transfer) => [placeOf(transfer), transfer]));
  const add = (field: string, expected: string, actual: string) =>
    wrong.push({ table: "token_transfers", field, expected, actual });
  for (const transfer of decoded) {
    const place = placeOf(transfer);
    const row = left.get(place);
    left.delete(place);
    if (row === undefined) {
      add(place, "a row", "none");
      continue;
    }
    for (const field of Object.keys(transfer) as (keyof TokenTransfer)[])
      if (row[field] !== transfer[field])
        add(`${place}.${field}`, String(transfer[field]), String(row[field]));
  }
  for (const place of left.keys()) add(place, "no row", "a row");
  return wrong;
}

function placeOf({
  logIndex,
  batchIndex,
}: Pick<TokenTransfer, "batchIndex"> & Pick<Log, "logIndex">): string {
  return `token_transfers[${logIndex}, ${batchIndex}]`;
}
