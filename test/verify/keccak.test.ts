import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak, KECCAK_RESERVED } from "../../src/chain/verify/keccak.js";

const AT = 4_096;

test("messages of 0 to 300 bytes at any alignment hash as in noble", () => {
  const keccak = createKeccak();
  const memory = keccak.memory();
  for (let length = 0; length <= 300; length += 1) {
    const message = randomBytes(length);
    const at = AT + (length % 8);
    // What lies around a message must not matter.
    memory.fill(0xff, KECCAK_RESERVED, AT + 512);
    memory.set(message, at);
    keccak.hash(at, length, AT - 64);
    assert.deepEqual(memory.subarray(AT - 64, AT - 32), Buffer.from(keccak_256(message)), `${length} bytes`);
    assert.deepEqual(memory.subarray(at, at + length), message);
  }
});

test("a message that does not fit is hashed after the memory has grown", () => {
  const keccak = createKeccak();
  const message = randomBytes(3_000_000);
  keccak.grow(4_000_000);
  const memory = keccak.memory();
  memory.set(message, AT);
  keccak.hash(AT, message.length, KECCAK_RESERVED);
  assert.deepEqual(memory.subarray(KECCAK_RESERVED, KECCAK_RESERVED + 32), Buffer.from(keccak_256(message)));
});

test("the memory is bounded", () => {
  assert.throws(() => createKeccak().grow(300 * 1024 * 1024), RangeError);
});

test("a hash may overwrite the end of its own message", () => {
  const keccak = createKeccak();
  const memory = keccak.memory();
  const message = randomBytes(500);
  memory.set(message, AT);
  keccak.hash(AT, 500, AT + 500 - 32);
  assert.deepEqual(memory.subarray(AT + 500 - 32, AT + 500), Buffer.from(keccak_256(message)));
});
