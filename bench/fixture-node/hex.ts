/** Bytes as lower-case 0x hex. */
export function toHex(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex")}`;
}

/** A JSON-RPC QUANTITY: 0x hex without leading zeros. */
export function quantity(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

export function concat(...parts: Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

/** A whole number as 32 bytes, most significant first. */
export function word(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex");
}

/** Bytes, at most 32, as 32 bytes with zeros in front. */
export function leftPad(bytes: Uint8Array): Buffer {
  const padded = Buffer.alloc(32);
  padded.set(bytes, 32 - bytes.length);
  return padded;
}
