/** Bytes of a new piece: what a block of some hundred transactions takes. */
const pieceBytes = 256 * 1024;
/** Bytes that lie ready at most, also while there is nothing to do. */
const mostSpareBytes = 32 * 1024 * 1024;

/**
 * The memory that rows are encoded into, a piece for each block, used again once they are committed. What
 * lives as long as a block on its way is old to the garbage collector, which looks at it only when tens of
 * megabytes are dead. A piece that is never given back is merely garbage.
 */
export class RowMemory {
  readonly #spare: Buffer[] = [];
  #spareBytes = 0;

  /** A piece of at least so many bytes. */
  take(bytes = 0): Buffer {
    const piece = this.#spare.pop();
    if (piece === undefined) return newPiece(bytes);
    this.#spareBytes -= piece.length;
    return piece.length < bytes ? newPiece(bytes) : piece;
  }

  /** Nobody looks at it any more. */
  give(piece: Buffer): void {
    if (this.#spareBytes + piece.length > mostSpareBytes) return;
    this.#spareBytes += piece.length;
    this.#spare.push(piece);
  }
}

/** Rounded up: blocks differ a little, and a piece that is a little too small for the next one is thrown away. */
function newPiece(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.max(1, Math.ceil(bytes / pieceBytes)) * pieceBytes);
}
