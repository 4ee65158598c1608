import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEvent } from "../../src/abi/compile.js";
import { FieldWriter } from "../../src/abi/field-writer.js";
import { Reading } from "../../src/abi/reading.js";
import { decoded, rawLog } from "./decoded.js";

const word = (value: number | bigint) => BigInt(value).toString(16).padStart(64, "0");

function readingOf(data: string): { reading: Reading; at: number } {
  const log = rawLog({ topics: [], data });
  const reading = new Reading();
  reading.begin(log, 0);
  return { reading, at: log.dataAt };
}

test("nothing is taken beyond the data's end, or before its beginning", () => {
  const { reading, at } = readingOf(`0x${word(1)}${word(2)}`);
  assert(reading.take(at, 64));
  assert(!reading.take(at, 65));
  assert(!reading.take(at + 33, 32));
  assert(!reading.take(-1, 0));
});

test("an offset leads to the data's end at most, and a length is one that data can have", () => {
  const { reading, at } = readingOf(`0x${word(96)}${word(97)}${word(2n ** 256n - 1n)}`);
  assert.equal(reading.follow(at, at), at + 96);
  assert(reading.follow(at, at + 32) < 0);
  assert(reading.follow(at, at + 64) < 0);
  assert.equal(reading.lengthAt(at), 96);
  assert(reading.lengthAt(at + 64) < 0);
  assert(reading.lengthAt(at + 96) < 0);
});

test("data is read 32 times and 8,192 words at most, however often offsets lead to one place", () => {
  const { reading, at } = readingOf(`0x${word(1)}`);
  for (let i = 0; i < 32 + 8_192; i += 1) assert(reading.take(at, 32));
  assert(!reading.take(at, 32));
});

test("nested arrays that repeat one region are refused before they fill the memory", () => {
  // Each of five levels says that it has 200 items, all of them the next level: 200^5 in all.
  const items = 200;
  const nested = (depth: number): string =>
    depth === 0
      ? word(0)
      : word(items) + Array.from({ length: items }, () => word(items * 32)).join("") + nested(depth - 1);
  const event = parseEvent("E(uint8[][][][][] a)");
  const data = `0x${word(32)}${nested(5)}`;
  const out = new FieldWriter();
  assert(!event.decode(rawLog({ topics: [`0x${event.topic0?.toString("hex")}`], data }), out));
  assert.equal(out.memory.length, 4096);
  const repeated = parseEvent("E(bytes[] a)");
  const long = 20_000;
  const hostile = `0x${word(32)}${word(100)}${word(3200).repeat(100)}${word(long)}${"ab".repeat(long)}`;
  assert.equal(
    decoded(repeated, { topics: [`0x${repeated.topic0?.toString("hex")}`], data: hostile }),
    undefined,
  );
});
