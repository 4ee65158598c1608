import type { Hex, Log } from "../../block.js";
import type { RlpWriter } from "./rlp.js";

export const BLOOM_BYTES = 256;

/** The bloom filter of no logs. */
export const EMPTY_BLOOM: Hex = `0x${"00".repeat(BLOOM_BYTES)}`;

/** Places of the cache, a power of two: about 200 bytes each. */
const CACHE_PLACES = 16_384;

/**
 * Makes the bloom filters of logs (yellow paper, section 4.3.1): three bits of 2048 for each address
 * and each topic, from the first three 16-bit words of its Keccak-256.
 *
 * Blocks repeat the same contracts, events and accounts, so the bits of an entry are remembered until another
 * one takes its place, which its last digits decide. A Map would look at all of them first.
 */
export class BloomMaker {
  readonly #writer: RlpWriter;
  readonly #entries = new Array<Hex>(CACHE_PLACES).fill("0x");
  readonly #bits = new Uint16Array(3 * CACHE_PLACES);

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
    const place = placeOf(entry);
    const bits = this.#bits;
    if (this.#entries[place] !== entry) {
      const mark = this.#writer.size;
      this.#writer.raw(entry);
      bits.set(this.#writer.hashWords(mark), 3 * place);
      this.#writer.truncate(mark);
      this.#entries[place] = entry;
    }
    for (let i = 3 * place; i < 3 * place + 3; i += 1) setBit((bits[i] ?? 0) & 2047, filter, block);
  }
}

/** Of an address or a topic: its last digits, in which addresses, hashes and small numbers all differ. */
function placeOf(entry: Hex): number {
  let place = 0;
  for (let i = entry.length - 6; i < entry.length; i += 1) place = Math.imul(place, 31) + entry.charCodeAt(i);
  return place & (CACHE_PLACES - 1);
}

/** Bit 0 is the lowest bit of the last byte. */
function setBit(bit: number, filter: Buffer, block: Buffer): void {
  const at = BLOOM_BYTES - 1 - (bit >> 3);
  const mask = 1 << (bit & 7);
  filter[at] = (filter[at] ?? 0) | mask;
  block[at] = (block[at] ?? 0) | mask;
}
