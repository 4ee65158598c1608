/** Bytes as lower-case 0x hex. */
export type Hex = `0x${string}`;

/** A non-negative integer as lower-case 0x hex without leading zeros (JSON-RPC "QUANTITY"). */
export type Quantity = `0x${string}`;
