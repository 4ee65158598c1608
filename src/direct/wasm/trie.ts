// The root of a list's Merkle Patricia trie (yellow paper, appendix D): keys are the RLP of the index. All keys are known
// beforehand, so no trie is kept: each node is written, hashed, and replaced by its hash before its neighbour is written.

import { closeList, closeString, hashSince, mark, replaceByHash, truncate, writeByte } from "./rlp";

/** Writes the item of an index, backwards. */
type WriteItem = (index: u32) => void;

let total: u32 = 0;
let writeItem: WriteItem = (_index: u32): void => {};

/** Leaves the root where hashes are. Items are written once each, from the last key to the first. */
export function hashList(length: u32, write: WriteItem): void {
  total = length;
  writeItem = write;
  const start = mark();
  if (length === 0) writeByte(0x80);
  else writeNode(0, length, 0);
  hashSince(start);
  truncate(start);
}

/** The index whose key is at this place in their order: rlp(1..127) are their own byte, rlp(0) is 0x80, then 0x81 80. */
function indexAt(place: u32): u32 {
  const zero = min<u32>(total - 1, 127);
  if (place < zero) return place + 1;
  return place === zero ? 0 : place;
}

/** Writes the node of the keys from one place to another, which share `depth` nibbles. */
function writeNode(from: u32, to: u32, depth: u32): void {
  const since = mark();
  const first = indexAt(from);
  if (to - from === 1) {
    writeItem(first);
    closeString(since);
    writePath(first, depth, 2 * keyLength(first), true);
    closeList(since);
    return;
  }
  const fork = firstDifference(first, indexAt(to - 1), depth);
  if (fork > depth) {
    writeReference(from, to, fork);
    writePath(first, depth, fork, false);
    closeList(since);
    return;
  }
  // A branch has no value of its own: no key of RLP is the beginning of another.
  writeByte(0x80);
  let end = to;
  for (let nibble: i32 = 15; nibble >= 0; nibble--) {
    let begin = end;
    while (begin > from && keyNibble(indexAt(begin - 1), depth) === (nibble as u32)) begin -= 1;
    if (begin === end) writeByte(0x80);
    else writeReference(begin, end, depth + 1);
    end = begin;
  }
  closeList(since);
}

/** A node inside another: itself if it is shorter than a hash, else its hash. */
function writeReference(from: u32, to: u32, depth: u32): void {
  const since = mark();
  writeNode(from, to, depth);
  if (since - mark() >= 32) replaceByHash(since);
}

/** Hex-prefix encoding of a part of a key's nibbles (yellow paper, appendix C). */
function writePath(index: u32, from: u32, to: u32, isLeaf: bool): void {
  const since = mark();
  const odd = (to - from) & 1;
  for (let at: i32 = (to as i32) - 2; at >= ((from + odd) as i32); at -= 2) {
    writeByte((keyNibble(index, at as u32) << 4) | keyNibble(index, (at as u32) + 1));
  }
  const flags: u32 = (isLeaf ? 2 : 0) + odd;
  writeByte((flags << 4) | (odd ? keyNibble(index, from) : 0));
  closeString(since);
}

function firstDifference(a: u32, b: u32, depth: u32): u32 {
  let at = depth;
  while (keyNibble(a, at) === keyNibble(b, at)) at += 1;
  return at;
}

function keyNibble(index: u32, at: u32): u32 {
  const byte = keyByte(index, at >> 1);
  return at & 1 ? byte & 15 : byte >> 4;
}

/** Byte `at` of rlp(index); indexes have at most three bytes. */
function keyByte(index: u32, at: u32): u32 {
  if (index === 0) return 0x80;
  if (index < 0x80) return index;
  const length = keyLength(index);
  return at === 0 ? 0x80 + length - 1 : (index >> (8 * (length - 1 - at))) & 0xff;
}

function keyLength(index: u32): u32 {
  if (index < 0x80) return 1;
  if (index < 0x100) return 2;
  return index < 0x10000 ? 3 : 4;
}
