import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { jsonbText } from "../../src/store/jsonb-text.js";
import { storedDigests } from "../../src/store/stored-digests.js";
import { createStoredChain, type RawBlock, type StoredChain } from "./stored-chain.js";

let chain: StoredChain;

before(async () => {
  chain = await createStoredChain({ transactions: 6 });
});

after(() => chain.close());

/** PostgreSQL's own text of what we would write. */
async function throughPostgres(values: readonly unknown[]): Promise<string[]> {
  const { rows } = await chain.pool.query<{ text: string }>(
    "select value::jsonb::text as text from unnest($1::text[]) with ordinality as t (value, i) order by i",
    [values.map((value) => jsonbText(value))],
  );
  return rows.map(({ text }) => text);
}

const text = fc
  .string({
    unit: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...'ab"\\/\n\t\b\f\r\u0001\u001f\u007f ') },
      fc.constantFrom("ü", "€", "🦀", "\u2028"),
    ),
  })
  .filter((value) => !value.includes("\0"));
const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.constantFrom(
    0,
    -0,
    1e21,
    -1e21,
    1.5e22,
    1e-6,
    1e-7,
    -1.25e-9,
    5e-324,
    1.7976931348623157e308,
    123456789012345680000,
  ),
);
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    number,
    text,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("json"), { maxLength: 4 }),
    fc.dictionary(text, tie("json"), { maxKeys: 5 }),
  ),
}));

test("the text of a jsonb is the one that PostgreSQL gives back, and reads back as the same value", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(json, { minLength: 1, maxLength: 60 }), async (values) => {
      assert.deepEqual(await throughPostgres(values), values.map(jsonbText));
      for (const value of values)
        assert.deepEqual(JSON.parse(jsonbText(value)), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 60 },
  );
});

test("keys are ordered by their bytes: short ones first, beyond the basic plane last", async () => {
  const value = { b: 1, aa: 1, "": 1, "🦀": 1, "\uffff": 1, ü: 1, a: 1, 10: 1, 9: 1 };
  assert.deepEqual(await throughPostgres([value]), [jsonbText(value)]);
});

async function digestOf(number: number): Promise<string | undefined> {
  const client = await chain.pool.connect();
  try {
    return (await storedDigests(client, [number])).get(number);
  } finally {
    client.release();
  }
}

test("the digest of the rows is the one that was written with them, whatever the nodes' extra fields are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.dictionary(text, json, { maxKeys: 3 }), { minLength: 3, maxLength: 3 }),
      async (extras) => {
        const [ofBlock, ofTransaction, ofReceipt] = extras;
        const block = chain.parsed(3, "main", ({ block, receipts }: RawBlock) => {
          block.odd = ofBlock;
          for (const transaction of block.transactions) transaction.odd = ofTransaction;
          for (const receipt of receipts) receipt.odd = ofReceipt;
        });
        const encoded = chain.encoded(block);
        await chain.write([encoded]);
        assert.equal(await digestOf(3), `0x${encoded.digest.toString("hex")}`);
      },
    ),
    { numRuns: 25 },
  );
});

test("rows that are larger than a chunk of the connection have the digest that was written", async () => {
  const block = chain.parsed(4, "main", ({ block }: RawBlock) => {
    for (const [index, transaction] of block.transactions.entries())
      transaction.input = `0x${"5a".repeat(index * 70_000)}`;
  });
  const encoded = chain.encoded(block);
  await chain.write([encoded]);
  assert.equal(await digestOf(4), `0x${encoded.digest.toString("hex")}`);
});
