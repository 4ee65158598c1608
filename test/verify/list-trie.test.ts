import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { createMPT } from "@ethereumjs/mpt";
import { RLP } from "@ethereumjs/rlp";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak } from "../../src/chain/verify/keccak.js";
import { listRoot } from "../../src/chain/verify/list-trie.js";
import { RlpWriter } from "../../src/chain/verify/rlp.js";

for (const { name, itemBytes } of [
  { name: "hashed", itemBytes: (index: number) => 33 + (index % 300) },
  { name: "embedded in their parents", itemBytes: (index: number) => 1 + (index % 4) },
  { name: "of any length", itemBytes: (index: number) => 1 + ((index * 7) % 40) },
]) {
  test(`lists of 0 to 300 items that are ${name} have the root that @ethereumjs/mpt computes`, async () => {
    const writer = new RlpWriter(createKeccak());
    const trie = await createMPT();
    for (let length = 0; length <= 300; length += 1) {
      const root = listRoot(writer, length, (index) => writer.raw(`0x${item(index).toString("hex")}`));
      assert.equal(root, `0x${Buffer.from(trie.root()).toString("hex")}`, `${length} items`);
      await trie.put(RLP.encode(length), item(length));
    }
    assert.equal(writer.size, 0);
  });

  function item(index: number): Buffer {
    return createHash("shake256", { outputLength: itemBytes(index) })
      .update(`${name}/${index}`)
      .digest();
  }
}

test("a list of 66000 items, whose keys have up to four bytes, has the root of the definition", () => {
  const entries = Array.from({ length: 66_000 }, (_, index) => ({
    key: Buffer.from(RLP.encode(index)).toString("hex"),
    value: RLP.encode(index),
  }));
  const expected = keccak_256(RLP.encode(nodeOf(entries, 0)));
  const writer = new RlpWriter(createKeccak());
  const root = listRoot(writer, entries.length, (index) => writer.number(index));
  assert.equal(root, `0x${Buffer.from(expected).toString("hex")}`);
});

type Node = (Uint8Array | Node)[];

/** Yellow paper, appendix D, word for word; keys are nibbles in hex. */
function nodeOf(entries: readonly { key: string; value: Uint8Array }[], depth: number): Node {
  const [first] = entries;
  assert.ok(first);
  if (entries.length === 1) return [path(first.key.slice(depth), 2), first.value];
  let shared = depth;
  while (entries.every(({ key }) => key[shared] === first.key[shared])) shared += 1;
  if (shared > depth) return [path(first.key.slice(depth, shared), 0), reference(entries, shared)];
  const groups = [..."0123456789abcdef"].map((nibble) => entries.filter(({ key }) => key[depth] === nibble));
  const empty = new Uint8Array();
  return [...groups.map((group) => (group.length === 0 ? empty : reference(group, depth + 1))), empty];
}

function reference(entries: readonly { key: string; value: Uint8Array }[], depth: number): Uint8Array | Node {
  const node = nodeOf(entries, depth);
  const encoded = RLP.encode(node);
  return encoded.length < 32 ? node : keccak_256(encoded);
}

function path(nibbles: string, flag: 0 | 2): Uint8Array {
  const odd = nibbles.length % 2;
  return Buffer.from(`${flag + odd}${odd ? "" : "0"}${nibbles}`, "hex");
}
