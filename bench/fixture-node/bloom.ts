import { keccak } from "./keccak.js";

/** What a log contributes to a bloom filter: its address and its topics. */
export interface BloomLog {
  address: Uint8Array;
  topics: readonly Uint8Array[];
}

const CACHED_ITEMS = 50_000;

/** Builds 2048-bit blooms (Yellow Paper, 4.3.1), remembering the hashes of items that come again. */
export class Blooms {
  readonly #bits = new Map<string, number[]>();

  ofLogs(logs: readonly BloomLog[]): Buffer {
    const bloom = Buffer.alloc(256);
    for (const log of logs) {
      this.#add(bloom, log.address);
      for (const topic of log.topics) this.#add(bloom, topic);
    }
    return bloom;
  }

  union(blooms: readonly Uint8Array[]): Buffer {
    const union = new Uint32Array(64);
    for (const bloom of blooms) {
      const words = new Uint32Array(bloom.buffer, bloom.byteOffset, 64);
      for (let i = 0; i < 64; i += 1) union[i] = (union[i] ?? 0) | (words[i] ?? 0);
    }
    return Buffer.from(union.buffer);
  }

  #add(bloom: Buffer, item: Uint8Array): void {
    for (const bit of this.#bitsOf(item)) {
      const at = 255 - (bit >> 3);
      bloom[at] = (bloom[at] ?? 0) | (1 << (bit & 7));
    }
  }

  #bitsOf(item: Uint8Array): number[] {
    const key = Buffer.from(item.buffer, item.byteOffset, item.byteLength).toString("latin1");
    const known = this.#bits.get(key);
    if (known) return known;
    const hash = Buffer.from(keccak(item));
    const bits = [0, 2, 4].map((at) => hash.readUInt16BE(at) & 2047);
    if (this.#bits.size >= CACHED_ITEMS) this.#bits.clear();
    this.#bits.set(key, bits);
    return bits;
  }
}
