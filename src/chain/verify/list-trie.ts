import type { Hex } from "../../block.js";
import type { RlpWriter } from "./rlp.js";

/**
 * The root of the Merkle Patricia trie of a list: keys are the RLP of the index, values whatever
 * `writeItem` writes (yellow paper, appendix D; `transactionsRoot`, `receiptsRoot`, `withdrawalsRoot`).
 *
 * All keys are known beforehand, so no trie is kept: each node is written, hashed, and replaced by its
 * hash before its neighbour is written. The memory in use is one item and one path of branch nodes.
 * `writeItem` is called once per index, from the last key to the first, and writes backwards.
 */
export function listRoot(writer: RlpWriter, length: number, writeItem: (index: number) => void): Hex {
  const start = writer.size;
  if (length === 0) writer.byte(0x80);
  else writeNode({ writer, order: keyOrder(length), writeItem }, 0, length, 0);
  const root = writer.hash(start);
  writer.truncate(start);
  return root;
}

interface Trie {
  writer: RlpWriter;
  /** The indexes of the list in the order of their keys. */
  order: Uint32Array;
  writeItem: (index: number) => void;
}

/** Keys in order: rlp(1..127) are their own byte, rlp(0) is 0x80, then 0x81 80, and so on. */
function keyOrder(length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, place) => {
    if (place < Math.min(127, length - 1)) return place + 1;
    return place === Math.min(127, length - 1) ? 0 : place;
  });
}

/** Writes the node that holds the keys in `[from, to)` of the order, which share `depth` nibbles. */
function writeNode(trie: Trie, from: number, to: number, depth: number): void {
  const { writer, order } = trie;
  const mark = writer.size;
  const first = order[from] ?? 0;
  if (to - from === 1) {
    trie.writeItem(first);
    writer.closeString(mark);
    writePath(writer, first, { from: depth, to: 2 * keyLength(first), leaf: true });
    writer.closeList(mark);
    return;
  }

  const fork = firstDifference(first, order[to - 1] ?? 0, depth);
  if (fork > depth) {
    writeReference(trie, from, to, fork);
    writePath(writer, first, { from: depth, to: fork, leaf: false });
    writer.closeList(mark);
    return;
  }

  // A branch has no value of its own: no key of RLP is the beginning of another.
  writer.byte(0x80);
  let end = to;
  for (let nibble = 15; nibble >= 0; nibble -= 1) {
    let begin = end;
    while (begin > from && keyNibble(order[begin - 1] ?? 0, depth) === nibble) begin -= 1;
    if (begin === end) writer.byte(0x80);
    else writeReference(trie, begin, end, depth + 1);
    end = begin;
  }
  writer.closeList(mark);
}

/** A node inside another: itself if it is shorter than a hash, else its hash. */
function writeReference(trie: Trie, from: number, to: number, depth: number): void {
  const mark = trie.writer.size;
  writeNode(trie, from, to, depth);
  if (trie.writer.size - mark >= 32) trie.writer.replaceByHash(mark);
}

/** Hex-prefix encoding of the nibbles `[from, to)` of a key (yellow paper, appendix C). */
function writePath(
  writer: RlpWriter,
  index: number,
  path: { from: number; to: number; leaf: boolean },
): void {
  const mark = writer.size;
  const odd = (path.to - path.from) % 2;
  for (let at = path.to - 2; at >= path.from + odd; at -= 2) {
    writer.byte((keyNibble(index, at) << 4) | keyNibble(index, at + 1));
  }
  const flags = (path.leaf ? 2 : 0) + odd;
  writer.byte((flags << 4) | (odd ? keyNibble(index, path.from) : 0));
  writer.closeString(mark);
}

function firstDifference(a: number, b: number, depth: number): number {
  let at = depth;
  while (keyNibble(a, at) === keyNibble(b, at)) at += 1;
  return at;
}

function keyNibble(index: number, at: number): number {
  const byte = keyByte(index, at >> 1);
  return at % 2 ? byte & 15 : byte >> 4;
}

/** Byte `at` of rlp(index); indexes have at most three bytes. */
function keyByte(index: number, at: number): number {
  if (index === 0) return 0x80;
  if (index < 0x80) return index;
  const length = keyLength(index);
  return at === 0 ? 0x80 + length - 1 : (index >> (8 * (length - 1 - at))) & 0xff;
}

function keyLength(index: number): number {
  if (index < 0x80) return 1;
  if (index < 0x100) return 2;
  return index < 0x10000 ? 3 : 4;
}
