import type { Block, Transaction } from "../../block.js";
import type { Check } from "../../fields/direct-layout.js";
import type { BloomMaker } from "./bloom.js";
import type { ChainRules } from "./chain-rules.js";
import type { RlpWriter } from "./rlp.js";
import { isStateSync } from "./state-sync.js";
import { UnencodableError, VerificationError } from "./verification-error.js";

/** One block on its way through the checks, and the tools that they share. */
export interface Proof {
  block: Block;
  rules: ChainRules;
  /** The endpoint that is blamed. */
  endpoint: string;
  /** The checks that are made. */
  checks: readonly Check[];
  writer: RlpWriter;
  blooms: BloomMaker;
  /** The transactions that the header's roots cover: all but Polygon's state-sync. */
  covered: readonly Transaction[];
  /** Whether the encoding of every covered transaction is known. */
  encodable: boolean;
  /**
   * Told of a value that follows from others, and that the node says otherwise or not at all: the block has the right one
   * from then on, and is proven with it. Null: what is said otherwise is wrong.
   */
  onDerived: OnDerived | null;
  /** Bytes of the RLP of what the checks have written so far. */
  bytes: { header: number; transactions: number; withdrawals: number };
}

/** A value that follows from others, beside what the node said. */
export interface Derivation {
  /** Such as `receipts[3].contractAddress`. */
  field: string;
  /** Null: nothing. */
  told: unknown;
  derived: unknown;
}

export type OnDerived = (derivation: Derivation) => void;

/** Finds out what of the block its roots cover. */
export function coverage(block: Block, rules: ChainRules): Pick<Proof, "covered" | "encodable"> {
  const last = block.transactions.at(-1);
  const outside = rules.stateSync && last !== undefined && isStateSync(last);
  const covered = outside ? block.transactions.slice(0, -1) : block.transactions;
  return { covered, encodable: !covered.some(({ type }) => rules.opaqueTypes.has(type)) };
}

/**
 * A field's value follows from others: it becomes that. Throws a VerificationError where it is said otherwise, and the block
 * is to be proven as it is. What is derived here must follow from what the checks prove.
 */
export function derive<Holder extends object, Name extends keyof Holder & string>(
  proof: Proof,
  holder: Holder,
  { name, value, path }: { name: Name; value: Holder[Name]; path: () => string },
): void {
  const told = holder[name];
  if (told === value) return;
  const field = `${path()}.${name}`;
  if (proof.onDerived === null) throw wrong(proof, field, String(value ?? "none"), told);
  holder[name] = value;
  proof.onDerived({ field, told, derived: value });
}

/** Whether the receipts that the block has are proven by its root, in their order. */
export function provesReceipts({ checks, encodable }: Proof): boolean {
  return encodable && checks.includes("receiptsRoot");
}

/** The error that says what is wrong with this block. */
export function wrong(
  proof: Proof,
  field: string,
  expected: string | number,
  actual: unknown,
  hint?: string,
): VerificationError {
  return new VerificationError({
    endpoint: proof.endpoint,
    block: proof.block.header.number,
    field,
    expected: String(expected),
    actual: String(actual),
    ...(hint !== undefined && { hint }),
  });
}

/** Runs an encoder; what it cannot encode is an error of the block, with the field's whole path. */
export function encode(proof: Proof, path: string | (() => string), write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof UnencodableError)) throw error;
    const prefix = typeof path === "string" ? path : path();
    throw wrong(proof, prefix + error.field, error.expected, error.actual);
  }
}
