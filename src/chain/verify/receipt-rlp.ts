import type { Transaction } from "../../block.js";
import { receiptFields } from "../../fields/receipt.js";
import { hasExtra, writeExtra } from "./extra-rlp.js";
import type { RlpWriter } from "./rlp.js";
import { itemsWriterOf } from "./rlp-fields.js";
import { knownType } from "./transaction-rlp.js";

const writeItems = itemsWriterOf(receiptFields);

/**
 * Writes a transaction's receipt as receiptsRoot covers it: what its type's payloads begin with (EIP-2718), then
 * status (EIP-658) or the state root before Byzantium, cumulative gas, bloom and logs, and what only its type has.
 */
export function writeReceipt(writer: RlpWriter, transaction: Transaction): void {
  const { receipt } = transaction;
  const { envelope, receipt: own = [] } = knownType(transaction);
  const mark = writer.size;

  const last = own.at(-1);
  if (last !== undefined && hasExtra(receipt.extra, last)) {
    for (const field of own.toReversed()) writeExtra(writer, receipt.extra, field);
  }
  writeItems(writer, receipt);
  writer.closeList(mark);

  for (const byte of envelope.toReversed()) writer.byte(byte);
}
