import type { Hex, Transaction } from "../../block.js";
import type { RlpWriter } from "./rlp.js";

// Polygon PoS until PIP-74: bor shows what was synced from Ethereum as an unsigned transaction at the
// block's end, which no root of the header covers. Its hash is made of the block's number and hash
// (bor, core/types/bor_receipt.go: GetDerivedBorTxHash).

const ZERO_ADDRESS: Hex = `0x${"00".repeat(20)}`;
const KEY_PREFIX: Hex = `0x${Buffer.from("matic-bor-receipt-").toString("hex")}`;

/** Whether a block's last transaction is a state-sync. */
export function isStateSync({ type, from, to, gas, r, s }: Transaction): boolean {
  const unsigned = (r ?? "0x0") === "0x0" && (s ?? "0x0") === "0x0";
  return type === 0 && unsigned && gas === "0x0" && from === ZERO_ADDRESS && to === ZERO_ADDRESS;
}

/** The hash of the state-sync transaction of a block. */
export function stateSyncHash(writer: RlpWriter, block: { number: number; hash: Hex }): Hex {
  const mark = writer.size;
  writer.raw(block.hash);
  writer.raw(`0x${block.number.toString(16).padStart(16, "0")}`);
  writer.raw(KEY_PREFIX);
  const hash = writer.hash(mark);
  writer.truncate(mark);
  return hash;
}
