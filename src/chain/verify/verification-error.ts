import { BlockmillError } from "../../errors.js";

export interface VerificationFacts {
  /** The endpoint's name, never its URL. For stored rows: where they are. */
  endpoint: string;
  block: number;
  /** A path such as `transactionsRoot`, `transactions[3].hash` or `receipts[3].logs[0].logIndex`. */
  field: string;
  /** What the rest of the block demands. */
  expected: string;
  /** What was sent. */
  actual: string;
  /** What it may come from, and what to do. */
  hint?: string;
}

/** A block contradicts itself: what was sent in `field` is not what the rest of the block demands. */
export class VerificationError extends BlockmillError {
  readonly disposition = "retry";

  constructor({ hint, ...facts }: VerificationFacts) {
    const { block, endpoint, field, expected, actual } = facts;
    const what = `block ${block} of ${endpoint} is not proven: ${field}: expected ${expected}, got ${actual}`;
    super(hint === undefined ? what : `${what}. ${hint}`, { ...facts });
  }
}

/** A field is missing, or of the wrong kind, without which the block cannot be encoded. */
export class UnencodableError extends Error {
  readonly field: string;
  readonly expected: string;
  readonly actual: string;

  constructor(facts: { field: string; expected: string; actual: string }) {
    super(`${facts.field}: expected ${facts.expected}, got ${facts.actual}`);
    this.field = facts.field;
    this.expected = facts.expected;
    this.actual = facts.actual;
  }
}

/** The value, or an UnencodableError that names the field. */
export function present<T>(value: T | null | undefined, field: string): T {
  if (value === null || value === undefined) {
    throw new UnencodableError({ field, expected: "a value", actual: "null" });
  }
  return value;
}
