// The root of a Merkle-Patricia trie whose keys are rlp(0), rlp(1), ...: the form of the transactions,
// receipts and withdrawals roots (Yellow Paper, appendix D). Written for the fixture alone, so that a
// mistake in the program's own verification does not hide in shared code.
import { RLP } from "@ethereumjs/rlp";
import { concat } from "./hex.js";
import { keccak } from "./keccak.js";

interface Entry {
  nibbles: number[];
  value: Uint8Array;
}

/** The root of the ordered list; the empty list gives keccak(rlp("")). */
export function orderedRoot(values: readonly Uint8Array[]): Uint8Array {
  if (values.length === 0) return keccak(RLP.encode(new Uint8Array()));
  const entries = values.map((value, index) => ({ nibbles: toNibbles(RLP.encode(index)), value }));
  return keccak(encodeNode(entries, 0));
}

/** RLP of the node that holds `entries`, which agree in their first `depth` nibbles. */
function encodeNode(entries: readonly Entry[], depth: number): Uint8Array {
  const [first] = entries;
  if (first === undefined) return RLP.encode(new Uint8Array());
  if (entries.length === 1) {
    return list([RLP.encode(hexPrefix(first.nibbles.slice(depth), true)), RLP.encode(first.value)]);
  }
  const shared = sharedDepth(entries, depth);
  if (shared > depth) {
    const path = hexPrefix(first.nibbles.slice(depth, shared), false);
    return list([RLP.encode(path), reference(encodeNode(entries, shared))]);
  }
  const children: Entry[][] = Array.from({ length: 16 }, () => []);
  let own: Uint8Array = new Uint8Array();
  for (const entry of entries) {
    const nibble = entry.nibbles[depth];
    if (nibble === undefined) own = entry.value;
    else children[nibble]?.push(entry);
  }
  const items = children.map((child) =>
    child.length === 0 ? RLP.encode(new Uint8Array()) : reference(encodeNode(child, depth + 1)),
  );
  return list([...items, RLP.encode(own)]);
}

function sharedDepth(entries: readonly Entry[], from: number): number {
  const first = entries[0]?.nibbles ?? [];
  let depth = from;
  while (depth < first.length && entries.every((entry) => entry.nibbles[depth] === first[depth])) depth += 1;
  return depth;
}

/** A node shorter than 32 bytes stands in its parent as it is, a longer one by its hash. */
function reference(node: Uint8Array): Uint8Array {
  return node.length < 32 ? node : RLP.encode(keccak(node));
}

/** An RLP list of items that are encoded already. */
function list(items: readonly Uint8Array[]): Uint8Array {
  const payload = concat(...items);
  if (payload.length < 56) return concat(Uint8Array.of(0xc0 + payload.length), payload);
  const digits = payload.length.toString(16);
  const length = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
  return concat(Uint8Array.of(0xf7 + length.length), length, payload);
}

function toNibbles(bytes: Uint8Array): number[] {
  const nibbles: number[] = [];
  for (const byte of bytes) nibbles.push(byte >> 4, byte & 15);
  return nibbles;
}

function hexPrefix(nibbles: readonly number[], leaf: boolean): Uint8Array {
  const odd = nibbles.length % 2;
  const flagged = [(leaf ? 2 : 0) + odd, ...(odd === 1 ? [] : [0]), ...nibbles];
  const bytes = new Uint8Array(flagged.length / 2);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = ((flagged[2 * i] ?? 0) << 4) | (flagged[2 * i + 1] ?? 0);
  }
  return bytes;
}
