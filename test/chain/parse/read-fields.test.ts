import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer, AnswerObject } from "../../../src/chain/parse/answer-object.js";
import { knownFields, type PlaceInBlock, readerOf } from "../../../src/chain/parse/read-fields.js";
import { BadResponseError } from "../../../src/errors.js";
import type { Fields } from "../../../src/fields/field.js";
import { data, hash, integer, objects, quantity } from "../../../src/fields/kinds.js";

const word = (digit: string) => `0x${digit.repeat(64)}` as const;
const place: PlaceInBlock = {
  blockHash: word("a"),
  blockNumberHex: "0x7",
  index: 3,
  indexHex: "0x3",
  transactionHash: word("b"),
};
const rawOf = (value: unknown) =>
  new AnswerObject(new Answer("node", 7), value, { parent: null, field: "", index: null });
const wrong = (field: string) => (error: unknown) =>
  error instanceof BadResponseError && error.facts.field === field;

test("a required field must be there; of a fork's, null is kept; a default stands for what is missing", () => {
  const fields = {
    gas: { kind: quantity(64) },
    baseFee: { kind: quantity(256), since: "London" },
    type: { kind: integer(255), missing: 0 },
  } as const satisfies Fields;
  const read = readerOf(fields);
  assert.deepEqual(read(rawOf({ gas: "0x1" }), null), { gas: "0x1", baseFee: null, type: 0 });
  assert.deepEqual(read(rawOf({ gas: "0x1", baseFee: "0x2", type: "0x3" }), null), {
    gas: "0x1",
    baseFee: "0x2",
    type: 3,
  });
  assert.throws(() => read(rawOf({ baseFee: "0x2" }), null), wrong("gas"));
});

test("what repeats the block or the transaction must agree with it, and is kept only where it is to be", () => {
  const fields = {
    blockHash: { kind: hash, repeats: "block.hash" },
    blockNumber: { kind: integer(99), repeats: "block.number" },
    transactionIndex: { kind: integer(99), repeats: "index", kept: true },
    transactionHash: { kind: hash, repeats: "transaction.hash", kept: true },
  } as const satisfies Fields;
  const said = {
    blockHash: word("a"),
    blockNumber: "0x7",
    transactionIndex: "0x3",
    transactionHash: word("b"),
  };
  const read = readerOf(fields);
  assert.deepEqual(read(rawOf(said), place), { transactionIndex: 3, transactionHash: word("b") });
  for (const [name, value] of [
    ["blockHash", word("c")],
    ["blockNumber", "0x8"],
    ["transactionIndex", "0x4"],
    ["transactionHash", word("c")],
  ] as const)
    assert.throws(() => read(rawOf({ ...said, [name]: value }), place), wrong(name));
});

test("a log that was removed is refused, and what nobody looks at may be anything", () => {
  const fields = {
    removed: { kind: { is: "false", unless: "a log that still stands" } },
    blockTimestamp: { kind: data, unread: "the header says it" },
  } as const satisfies Fields;
  const read = readerOf(fields, ["extra"]);
  assert.deepEqual(read(rawOf({ removed: false, blockTimestamp: 5 }), null), { extra: null });
  assert.throws(() => read(rawOf({ removed: true }), null), wrong("removed"));
});

test("a list of objects may be missing only where it belongs to a fork", () => {
  const of = { gas: { kind: quantity(64) } } as const;
  const read = readerOf({ list: { kind: objects(of, 2), since: "Shanghai" } } as const);
  assert.deepEqual(read(rawOf({}), null), { list: null });
  assert.deepEqual(read(rawOf({ list: [{ gas: "0x1" }] }), null), { list: [{ gas: "0x1" }] });
  assert.throws(() => read(rawOf({ list: [{}] }), null), wrong("list[0].gas"));
  assert.throws(() => readerOf({ list: { kind: objects(of, 2) } } as const)(rawOf({}), null), wrong("list"));
});

test("fields that are only known by name are known", () => {
  assert.deepEqual([...knownFields({ a: { kind: data } }, { b: { kind: data, unread: "why" } })], ["a", "b"]);
});
