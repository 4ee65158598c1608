import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { Quantity } from "../../src/block.js";
import { CopyWriter } from "../../src/store/copy-writer.js";
import { createDatabase, type TestDatabase } from "../support/database.js";

let database: TestDatabase;

before(async () => {
  database = await createDatabase();
});

after(() => database.drop());

/** The bytes of one numeric, without its length. */
function encoded(value: bigint): string {
  const out = new CopyWriter();
  out.numeric(`0x${value.toString(16)}`);
  return out.memory.subarray(0, out.size).subarray(4).toString("hex");
}

/** The bytes that PostgreSQL sends for the same numbers, parsed from decimal text. */
async function sentByPostgres(values: readonly bigint[]): Promise<string[]> {
  const { rows } = await database.pool.query<{ bytes: string }>(
    "select encode(numeric_send(value::numeric(78, 0)), 'hex') as bytes from unnest($1::text[]) with ordinality as t (value, i) order by i",
    [values.map(String)],
  );
  return rows.map((row) => row.bytes);
}

test("a numeric is encoded as PostgreSQL itself encodes it: zero, powers of 10, of 2, and their neighbours", async () => {
  const powers = [
    ...Array.from({ length: 78 }, (_, exponent) => 10n ** BigInt(exponent)),
    ...Array.from({ length: 257 }, (_, exponent) => 2n ** BigInt(exponent)),
  ];
  const values = [0n, ...powers.flatMap((power) => [power - 1n, power, power + 1n])].filter(
    (value) => value < 2n ** 256n,
  );
  assert.deepEqual(values.map(encoded), await sentByPostgres(values));
});

test("a numeric is encoded as PostgreSQL itself encodes it: any uint256", async () => {
  const uint256 = fc.oneof(
    fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    fc.bigInt({ min: 0n, max: 2n ** 64n }),
    // Runs of zero digits inside and at the end.
    fc
      .tuple(fc.nat(9_999), fc.nat(17), fc.nat(9_999), fc.nat(8))
      .map(
        ([high, gap, low, shift]) =>
          (BigInt(high) * 10_000n ** BigInt(gap) + BigInt(low)) * 10n ** BigInt(shift),
      )
      .filter((value) => value < 2n ** 256n),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(uint256, { minLength: 200, maxLength: 200 }), async (values) => {
      assert.deepEqual(values.map(encoded), await sentByPostgres(values));
    }),
    { numRuns: 25 },
  );
});

test("a number of more than 256 bits is refused", () => {
  const tooLong: Quantity = `0x1${"0".repeat(64)}`;
  assert.throws(() => new CopyWriter().numeric(tooLong), RangeError);
  assert.throws(() => new CopyWriter().bytea32(tooLong), RangeError);
});

test("a time beyond PostgreSQL's last, and hex that is none, are refused", () => {
  assert.throws(() => new CopyWriter().timestamptz(9_224_318_016_000), RangeError);
  assert.throws(() => new CopyWriter().timestamptz(-1), RangeError);
  assert.throws(() => new CopyWriter().bytea("0x123"), RangeError);
  assert.throws(() => new CopyWriter().bytea("0x12zz"), RangeError);
  assert.throws(() => new CopyWriter().int8(2 ** 53), RangeError);
});

test("the last second that PostgreSQL can hold is written as that second", async () => {
  const out = new CopyWriter();
  out.timestamptz(9_224_318_015_999);
  const { rows } = await database.pool.query<{ bytes: string }>(
    "select encode(timestamptz_send('294276-12-31 23:59:59+00'), 'hex') as bytes",
  );
  assert.equal(out.memory.subarray(0, out.size).subarray(4).toString("hex"), rows[0]?.bytes);
});
