import type { Hex, Log } from "../../block.js";
import type { RlpWriter } from "./rlp.js";

export const BLOOM_BYTES = 256;

/** The bloom filter of no logs. */
export const EMPTY_BLOOM: Hex = `0x${"00".repeat(BLOOM_BYTES)}`;

/** Entries of the cache: about 200 bytes each. */
const CACHE_ENTRIES = 32_768;

/**
 * Makes the bloom filters of logs (yellow paper, section 4.3.1): three bits of 2048 for each address
 * and each topic, from the first three 16-bit words of its Keccak-256.
 *
 * Blocks repeat the same contracts and events, so the bits of the latest entries are remembered.
 */
export class BloomMaker {
  readonly #writer: RlpWriter;
  readonly #bits = new Map<Hex, number>();

  constructor(writer: RlpWriter) {
    this.#writer = writer;
  }

  /** Sets the logs' bits in both filters; `block` is the one of the block that they are in. */
  add(logs: readonly Log[], filter: Buffer, block: Buffer): void {
    for (const log of logs) {
      this.#addEntry(log.address, filter, block);
      for (const topic of log.topics) this.#addEntry(topic, filter, block);
    }
  }

  #addEntry(entry: Hex, filter: Buffer, block: Buffer): void {
    let bits = this.#bits.get(entry);
    if (bits === undefined) {
      bits = this.#bitsOf(entry);
      // Cleared as a whole: cheaper than an order of use, and a block refills what it needs.
      if (this.#bits.size >= CACHE_ENTRIES) this.#bits.clear();
      this.#bits.set(entry, bits);
    }
    // The third bit is above 2^22: kept in a double, which shifts would cut to 32 bits.
    setBit(bits & 2047, filter, block);
    setBit((bits >>> 11) & 2047, filter, block);
    setBit(Math.floor(bits / 0x400000), filter, block);
  }

  #bitsOf(entry: Hex): number {
    const mark = this.#writer.size;
    this.#writer.raw(entry);
    const [a, b, c] = this.#writer.hashWords(mark);
    this.#writer.truncate(mark);
    return (a & 2047) + 2048 * (b & 2047) + 0x400000 * (c & 2047);
  }
}

/** Bit 0 is the lowest bit of the last byte. */
function setBit(bit: number, filter: Buffer, block: Buffer): void {
  const at = BLOOM_BYTES - 1 - (bit >> 3);
  const mask = 1 << (bit & 7);
  filter[at] = (filter[at] ?? 0) | mask;
  block[at] = (block[at] ?? 0) | mask;
}
