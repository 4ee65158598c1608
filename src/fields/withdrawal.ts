import type { Fields } from "./field.js";
import { address, quantity } from "./kinds.js";

/** A withdrawal from the beacon chain (EIP-4895). */
export const withdrawalFields = {
  /** 64 bits. */
  index: { kind: quantity(64), rlp: 0, column: "index" },
  /** 64 bits. */
  validatorIndex: { kind: quantity(64), rlp: 1, column: "validator_index" },
  address: { kind: address, rlp: 2, column: "address" },
  /** Gwei, 64 bits. */
  amount: { kind: quantity(64), unit: "gwei", rlp: 3, column: "amount" },
} as const satisfies Fields;
