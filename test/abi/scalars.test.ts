import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEvent } from "../../src/abi/compile.js";
import { decoded, type Field } from "./decoded.js";

const word = (value: bigint) => `0x${BigInt.asUintN(256, value).toString(16).padStart(64, "0")}`;

/** What an argument of that type is when its word is this: as data, and as a topic. */
function both(type: string, data: string): Field | undefined {
  const plain = parseEvent(`E(${type} a)`);
  const indexed = parseEvent(`E(${type} indexed a)`);
  const topic0 = `0x${plain.topic0?.toString("hex")}`;
  const value = decoded(plain, { topics: [topic0], data })?.a;
  assert.deepEqual(decoded(indexed, { topics: [topic0, data], data: "0x" })?.a, value);
  return value;
}

test("every value of an integer's type is decoded, and the first ones beyond it do not fit", () => {
  for (let bits = 8; bits <= 256; bits += 8) {
    const size = 2n ** BigInt(bits);
    for (const value of [0n, 1n, size / 2n, size - 1n]) assert.equal(both(`uint${bits}`, word(value)), value);
    for (const value of [0n, 1n, -1n, size / 2n - 1n, -size / 2n])
      assert.equal(both(`int${bits}`, word(value)), value);
    if (bits === 256) continue;
    assert.equal(both(`uint${bits}`, word(size)), undefined);
    assert.equal(both(`uint${bits}`, word(-1n)), undefined);
    assert.equal(both(`uint${bits}`, word(2n ** 255n)), undefined);
    assert.equal(both(`int${bits}`, word(size / 2n)), undefined);
    assert.equal(both(`int${bits}`, word(-size / 2n - 1n)), undefined);
    assert.equal(both(`int${bits}`, word(2n ** 255n)), undefined);
  }
});

test("a bool is 0 or 1", () => {
  assert.deepEqual([both("bool", word(0n)), both("bool", word(1n))], [false, true]);
  for (const value of [2n, 255n, 256n, 257n, 2n ** 255n + 1n])
    assert.equal(both("bool", word(value)), undefined);
});

test("an address has 160 bits", () => {
  const most = 2n ** 160n - 1n;
  assert.equal(both("address", word(most)), `0x${"ff".repeat(20)}`);
  for (const value of [most + 1n, 2n ** 192n, 2n ** 255n])
    assert.equal(both("address", word(value)), undefined);
});

test("bytesN and function stand at the left, with zeros behind them", () => {
  for (let length = 1; length <= 32; length += 1) {
    const value = "ab".repeat(length);
    const type = `bytes${length}`;
    assert.equal(both(type, `0x${value.padEnd(64, "0")}`), `0x${value}`);
    if (length < 32) assert.equal(both(type, `0x${value.padEnd(63, "0")}1`), undefined);
    if (length < 32) assert.equal(both(type, `0x${`${value}01`.padEnd(64, "0")}`), undefined);
  }
  const event = parseEvent({ type: "event", name: "E", inputs: [{ type: "function", name: "a" }] });
  const topics = [`0x${event.topic0?.toString("hex")}`];
  assert.equal(
    decoded(event, { topics, data: `0x${"ab".repeat(24).padEnd(64, "0")}` })?.a,
    `0x${"ab".repeat(24)}`,
  );
});
