import type { Header, Hex, Transaction } from "../../block.js";
import { withdrawalFields } from "../../fields/withdrawal.js";
import { plural } from "../../wording.js";
import { writeHeader } from "./header-rlp.js";
import { listRoot } from "./list-trie.js";
import { derive, encode, type Proof, wrong } from "./proof.js";
import { writeReceipt } from "./receipt-rlp.js";
import { listWriterOf } from "./rlp-fields.js";
import { itemBytes } from "./size.js";
import { stateSyncHash } from "./state-sync.js";
import { writeTransaction } from "./transaction-rlp.js";
import { checkSignedChain, checkUnhashedFields } from "./unhashed-fields.js";

/** Keccak-256 of the empty list. */
const EMPTY_UNCLES: Hex = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347";

const writeWithdrawal = listWriterOf(withdrawalFields);

/** The block's hash is that of its header. */
export function checkHash(proof: Proof): void {
  const { writer } = proof;
  const { header } = proof.block;
  const mark = writer.size;
  encode(proof, "", () => writeHeader(writer, header));
  proof.bytes.header = writer.size - mark;
  const expected = writer.hash(mark);
  writer.truncate(mark);
  if (header.hash !== expected)
    throw wrong(proof, "hash", expected, header.hash, unknownFieldsHint(header.extra));
}

/** So many unknown fields are named. */
const mostNamed = 5;

/** A hard fork adds fields to what is hashed: then no block's hash holds here, and nobody is to blame. */
function unknownFieldsHint(extra: Header["extra"]): string | undefined {
  // They are a node's words.
  const names = Object.keys(extra ?? {}).filter((name) => /^\w{1,40}$/.test(name));
  if (names.length === 0) return undefined;
  const more = names.length > mostNamed ? ` and ${names.length - mostNamed} more` : "";
  const list = `${names.slice(0, mostNamed).join(", ")}${more}`;
  return `Its header has fields that this version does not know (${list}): after a hard fork upgrade blockmill, or set chain.verify`;
}

/** There are no uncles exactly where sha3Uncles says so. Which uncles there are is not provable here. */
export function checkUncles(proof: Proof): void {
  const { uncles, sha3Uncles } = proof.block.header;
  const none = sha3Uncles === EMPTY_UNCLES;
  if ((uncles.length === 0) !== none) {
    throw wrong(
      proof,
      "uncles",
      none ? "none" : `the uncles of ${sha3Uncles}`,
      plural(uncles.length, "uncle"),
    );
  }
}

/** Each transaction's hash is that of its fields, and no other field of it contradicts them. */
export function checkTransactionHashes(proof: Proof): void {
  const { block, rules, covered, writer } = proof;
  // With the root, each transaction is encoded for it anyway; its hash is compared there.
  const encodedForRoot = proof.encodable && proof.checks.includes("transactionsRoot");
  for (const [index, transaction] of covered.entries()) {
    if (rules.opaqueTypes.has(transaction.type)) continue;
    checkUnhashedFields(proof, transaction, index);
    checkSignedChain(proof, transaction, index);
    if (encodedForRoot) continue;
    const mark = writer.size;
    writeProven(proof, transaction, index);
    writer.truncate(mark);
  }
  const outside = block.transactions[covered.length];
  if (outside === undefined) return;
  const expected = stateSyncHash(writer, block.header);
  if (outside.hash !== expected) {
    throw wrong(proof, `transactions[${covered.length}].hash`, expected, outside.hash);
  }
}

export function checkTransactionsRoot(proof: Proof): void {
  const { covered, writer } = proof;
  const expected = listRoot(writer, covered.length, (index) => {
    const transaction = covered[index];
    if (transaction !== undefined) writeProven(proof, transaction, index);
  });
  expectRoot(proof, "transactionsRoot", expected);
}

export function checkReceiptsRoot(proof: Proof): void {
  const { covered, writer } = proof;
  const expected = listRoot(writer, covered.length, (index) => {
    const transaction = covered[index];
    if (transaction === undefined) return;
    const { receipt } = transaction;
    if (receipt.status !== null)
      derive(proof, receipt, { name: "root", value: null, path: () => `receipts[${index}]` });
    encode(
      proof,
      () => `receipts[${index}].`,
      () => writeReceipt(writer, transaction),
    );
  });
  expectRoot(proof, "receiptsRoot", expected);
}

/** EIP-4895. A node that sends no list where the root is that of an empty one means the same. */
export function checkWithdrawalsRoot(proof: Proof): void {
  const { writer } = proof;
  const { header, withdrawals } = proof.block;
  const list = withdrawals ?? [];
  if (header.withdrawalsRoot === null) {
    if (list.length > 0) throw wrong(proof, "withdrawals", "none without a withdrawalsRoot", list.length);
    return;
  }
  const expected = listRoot(writer, list.length, (index) => {
    const withdrawal = list[index];
    if (withdrawal === undefined) return;
    const mark = writer.size;
    writeWithdrawal(writer, withdrawal);
    proof.bytes.withdrawals += writer.size - mark;
  });
  expectRoot(proof, "withdrawalsRoot", expected);
}

/** The root in the header was proven by the hash, so it is what came in the list that is wrong. */
function expectRoot(
  proof: Proof,
  field: "transactionsRoot" | "receiptsRoot" | "withdrawalsRoot",
  expected: Hex,
): void {
  const actual = proof.block.header[field];
  if (actual !== expected) throw wrong(proof, field, expected, actual);
}

/** Writes a transaction, and compares its hash while it is there. */
function writeProven(proof: Proof, transaction: Transaction, index: number): void {
  const { writer } = proof;
  const mark = writer.size;
  encode(
    proof,
    () => `transactions[${index}].`,
    () => writeTransaction(writer, transaction),
  );
  proof.bytes.transactions += itemBytes(writer.size - mark, transaction.type);
  if (!proof.checks.includes("transactionHashes")) return;
  const expected = writer.hash(mark);
  if (transaction.hash !== expected)
    throw wrong(proof, `transactions[${index}].hash`, expected, transaction.hash);
}
