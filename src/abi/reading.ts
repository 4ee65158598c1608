/** A log, or a call (no topics; its data is what is behind the selector), as bytes that lie somewhere. */
export interface RawLog {
  bytes: Buffer;
  /** Of `bytes`: `viewOf` makes one. */
  view: DataView;
  topicCount: number;
  /** Where each of the topics begins: 32 bytes. */
  topics: ArrayLike<number>;
  /** Where its data begins. */
  dataAt: number;
  dataLength: number;
}

/**
 * How much is read of data in all: so many times its length, and so many bytes. viem refuses what is read more often as
 * well: bytes and strings of 32 times the length, 8,192 words that were read before.
 */
const mostReadings = 32;
const spareBytes = 8_192 * 32;

const nowhere = -1;

/** Moves about in the data of one log, never beyond its end, and never for longer than its length allows. */
export class Reading {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  #end = 0;
  /** Bytes that may still be read. */
  #left = 0;

  /** @param read Bytes that are read in any case. */
  begin({ bytes, view, dataAt, dataLength }: RawLog, read: number): void {
    this.bytes = bytes;
    this.view = view;
    this.#end = dataAt + dataLength;
    this.#left = dataLength * mostReadings + spareBytes - read;
  }

  /** Whether so many bytes from there may be read. */
  take(at: number, length: number): boolean {
    if (at < 0 || length < 0 || at + length > this.#end) return false;
    this.#left -= length;
    return this.#left >= 0;
  }

  /**
   * Where the offset at `at`, which is counted from `from`, leads. Below 0: out of the data. Where nothing lies behind the
   * first word, no value does: viem refuses that as well.
   */
  follow(from: number, at: number): number {
    const offset = this.#numberAt(at);
    if (offset === nowhere || from + offset > this.#end || from + 32 >= this.#end) return nowhere;
    return from + offset;
  }

  /** The length that stands at `at`. Below 0: none that data can have. */
  lengthAt(at: number): number {
    return this.take(at, 32) ? this.#numberAt(at) : nowhere;
  }

  /** A word as a number below 2^31. */
  #numberAt(at: number): number {
    const { view } = this;
    for (let i = 0; i < 28; i += 4) if (view.getUint32(at + i) !== 0) return nowhere;
    const value = view.getUint32(at + 28);
    return value < 0x8000_0000 ? value : nowhere;
  }
}
