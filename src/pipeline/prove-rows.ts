import type { Block, Log } from "../block.js";
import type { ChainRules } from "../chain/verify/chain-rules.js";
import { VerificationError } from "../chain/verify/verification-error.js";
import type { Verifier } from "../chain/verify/verify-block.js";
import { decodeTokenTransfers, type TokenTransfer } from "../decode/decode-token-transfers.js";
import { describeError } from "../errors.js";
import type { LoadedBlock } from "../store/load-blocks.js";
import type { Contradiction } from "../store/stored-row.js";

export interface Prover {
  verifier: Verifier;
  rules: ChainRules;
  recoverSenders: boolean;
}

/**
 * Proves one block from what was read of it, and returns what is wrong; nothing, when it is proven.
 * `digest` is that of its rows as they are now. Pure.
 */
export function proveRows(
  { rebuilt, contradictions, digest: written, number }: LoadedBlock,
  { digest, ...prover }: Prover & { digest: string | undefined },
): Contradiction[] {
  const wrong = [...contradictions];
  if (rebuilt !== null) {
    wrong.push(...proveBlock(rebuilt.block, number, prover));
    wrong.push(...compareTransfers(decodeTokenTransfers(rebuilt.block), rebuilt.tokenTransfers));
  }
  // It is undefined where no program wrote such a version: `contradictions` says so.
  if (digest !== undefined && written !== digest) {
    const [expected, actual] = [written ?? "32 bytes", written === null ? "none" : String(digest)];
    wrong.push({ table: "blocks", field: "digest", expected, actual });
  }
  return wrong;
}

function proveBlock(
  block: Block,
  number: number,
  { verifier, rules, recoverSenders }: Prover,
): Contradiction[] {
  try {
    verifier.verifyBlock(block, { level: "roots", rules, endpoint: "the database", recoverSenders });
    return [];
  } catch (error) {
    if (error instanceof VerificationError) {
      const { field, expected, actual } = error.facts as Record<"field" | "expected" | "actual", string>;
      return [{ table: tableOf(field), field, expected, actual }];
    }
    // Rows may hold anything. One block that cannot even be encoded must not keep the others from being proven.
    return [
      {
        table: "blocks",
        field: "number",
        expected: "a block that can be encoded",
        actual: `${number}: ${describeError(error)}`,
      },
    ];
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
