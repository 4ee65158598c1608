/** Bytes that are kept at most: answers are seldom larger. */
const mostKept = 4 * 1024 * 1024;

/**
 * Reads answers that came in pieces as text. They are put together in memory that is used again for the next one: as
 * memory of its own, each would take pages from the system and leave them to the collector, which sees only
 * small objects and is in no hurry.
 */
export class BodyText {
  #scratch = Buffer.alloc(0);

  /** The pieces as UTF-8; `size`: bytes of all of them together. */
  read(chunks: readonly Buffer[], size: number): string {
    const [first] = chunks;
    if (chunks.length === 1 && first !== undefined) return first.toString();
    if (size > mostKept) return Buffer.concat(chunks, size).toString();
    if (size > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(roundUp(size));
    let at = 0;
    for (const chunk of chunks) at += chunk.copy(this.#scratch, at);
    return this.#scratch.toString("utf8", 0, size);
  }
}

/** To a power of two, so that it seldom grows. */
const roundUp = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, bytes)));
