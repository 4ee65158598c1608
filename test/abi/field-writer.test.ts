import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FieldWriter, viewOf } from "../../src/abi/field-writer.js";
import { CopyWriter } from "../../src/store/copy-writer.js";
import { extentOf } from "../model/seed.js";

const word = (value: bigint) => Buffer.from(BigInt.asUintN(256, value).toString(16).padStart(64, "0"), "hex");

/** A field, as the writer of blocks writes it. */
function copied(write: (out: CopyWriter) => void): string {
  const out = new CopyWriter();
  out.begin(Buffer.alloc(16));
  write(out);
  return out.bytesOf({ from: 0, to: out.size }).toString("hex");
}

function written(write: (out: FieldWriter) => void): string {
  const out = new FieldWriter(Buffer.alloc(1));
  write(out);
  return out.memory.toString("hex", 0, out.at);
}

/** Numbers of every length, and those about powers of 2 and of 10. */
const numbers = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
  fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: -2, max: 2 }))
    .map(([bits, by]) => 2n ** BigInt(bits) + BigInt(by)),
  fc
    .tuple(fc.integer({ min: 0, max: 77 }), fc.integer({ min: -2, max: 2 }))
    .map(([tens, by]) => 10n ** BigInt(tens) + BigInt(by)),
);

test("a number of 256 bits is written as the writer of blocks writes it", (t) => {
  const { seed, scripts } = extentOf({ scripts: 5_000 });
  t.diagnostic(`BLOCKMILL_TEST_SEED=${seed}`);
  fc.assert(
    fc.property(numbers, (number) => {
      const value = BigInt.asUintN(256, number);
      const expected = copied((out) => out.numeric(`0x${value.toString(16)}`));
      assert.equal(
        written((out) => out.numeric(viewOf(word(value)), 0, false)),
        expected,
      );
      // Below zero only the sign differs: the seventh and eighth byte behind the length.
      if (value === 0n || value > 2n ** 255n) return;
      const negative = `${expected.slice(0, 16)}4000${expected.slice(20)}`;
      assert.equal(
        written((out) => out.numeric(viewOf(word(-value)), 0, true)),
        negative,
      );
    }),
    { seed, numRuns: scripts },
  );
});

test("the other fields are written as the writer of blocks writes them", () => {
  const pairs: [(out: FieldWriter) => void, (out: CopyWriter) => void][] = [
    [(out) => out.null(), (out) => out.int4(null)],
    [(out) => out.integer(-7), (out) => out.int4(-7)],
    [(out) => out.bigint(1, 5), (out) => out.int8(2 ** 32 + 5)],
    [(out) => out.bigint(-1, -1), (out) => out.int8(-1)],
    [(out) => out.text("é€"), (out) => out.text("é€")],
    [(out) => out.jsonb('{"a": ["1", true]}'), (out) => out.jsonb({ a: ["1", true] })],
    ...[0, 3, 32, 33, 5_000].map((length): [(out: FieldWriter) => void, (out: CopyWriter) => void] => {
      const bytes = Buffer.alloc(length + 1, 0xab);
      return [(out) => out.bytea(bytes, 1, length), (out) => out.bytes(bytes.subarray(1))];
    }),
    ...[[], ["a", "b"]].map((list): [(out: FieldWriter) => void, (out: CopyWriter) => void] => [
      (out) => {
        const array = out.beginArray(25, list.length);
        for (const each of list) out.text(each);
        out.endArray(array);
      },
      (out) => out.textArray(list),
    ]),
  ];
  for (const [ours, theirs] of pairs) assert.equal(written(ours), copied(theirs));
  assert.equal(
    written((out) => out.boolean(true)),
    "0000000101",
  );
});

test("memory that is full is replaced, with all that was written", () => {
  const out = new FieldWriter(Buffer.alloc(1));
  const first = out.memory;
  for (let i = 0; i < 100; i += 1) out.integer(i);
  assert.notEqual(out.memory, first);
  assert.equal(out.at, 800);
  assert.deepEqual([out.memory.readInt32BE(4), out.memory.readInt32BE(796)], [0, 99]);
  out.begin(first, 1);
  assert.deepEqual([out.at, out.memory], [1, first]);
});
