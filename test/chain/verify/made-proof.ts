// One block on its way through single checks, made of no more than what they look at.

import type { Header, Log, Receipt, Transaction, Withdrawal } from "../../../src/block.js";
import { BloomMaker, EMPTY_BLOOM } from "../../../src/chain/verify/bloom.js";
import { type ChainRules, rulesFor } from "../../../src/chain/verify/chain-rules.js";
import { createKeccak } from "../../../src/chain/verify/keccak.js";
import { coverage, type Proof } from "../../../src/chain/verify/proof.js";
import { RlpWriter } from "../../../src/chain/verify/rlp.js";
import { VerificationError } from "../../../src/chain/verify/verification-error.js";
import { CHECKS } from "../../../src/fields/direct-layout.js";
import { blankHeader, blankLog, blankReceipt, blankTransaction } from "../../support/blank-fields.js";

export interface MadeProof {
  header?: Partial<Header>;
  transactions?: Transaction[];
  withdrawals?: Withdrawal[] | null;
  rules?: ChainRules;
  checks?: Proof["checks"];
  onDerived?: Proof["onDerived"];
}

/** A block under all checks of Ethereum, unless it says otherwise. */
export function proofOf(made: MadeProof): Proof {
  const { header, transactions = [], withdrawals = null, rules = rulesFor(1), checks = CHECKS } = made;
  const { onDerived = null } = made;
  const bytes = { header: 0, transactions: 0, withdrawals: 0 };
  const block = { header: { ...blankHeader, number: 7, ...header }, transactions, withdrawals };
  const writer = new RlpWriter(createKeccak());
  const blooms = new BloomMaker(writer);
  return {
    block,
    rules,
    endpoint: "node",
    checks,
    writer,
    blooms,
    onDerived,
    bytes,
    ...coverage(block, rules),
  };
}

/** A transaction that pays nobody nothing, at the block's start. */
export function transactionOf(fields: Partial<Transaction>, receipt: Partial<Receipt> = {}): Transaction {
  return {
    ...blankTransaction,
    transactionIndex: 0,
    hash: `0x${"aa".repeat(32)}`,
    type: 0,
    from: `0x${"11".repeat(20)}`,
    nonce: "0x0",
    value: "0x0",
    gas: "0x5208",
    input: "0x",
    ...fields,
    receipt: {
      ...blankReceipt,
      status: 1,
      gasUsed: "0x5208",
      cumulativeGasUsed: "0x5208",
      logsBloom: EMPTY_BLOOM,
      logs: [],
      ...receipt,
    },
  };
}

export function logOf(fields: Partial<Log>): Log {
  return {
    ...blankLog,
    logIndex: 0,
    transactionIndex: 0,
    transactionHash: `0x${"aa".repeat(32)}`,
    address: `0x${"22".repeat(20)}`,
    topics: [],
    data: "0x",
    ...fields,
  };
}

/** The field that a check finds wrong; null: none. */
export function wrongField(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (!(error instanceof VerificationError)) throw error;
    return String(error.facts.field);
  }
}
