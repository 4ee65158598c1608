import assert from "node:assert/strict";
import { test } from "node:test";
import { Answer, AnswerObject } from "../../../src/chain/parse/answer-object.js";
import { BadResponseError } from "../../../src/errors.js";

const answerOf = (value: unknown) =>
  new AnswerObject(new Answer("node", 7), value, { parent: null, field: "", index: null });

function wrongField(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert(error instanceof BadResponseError);
    assert.equal(error.facts.endpoint, "node");
    assert.equal(error.facts.block, 7);
    return String(error.facts.field);
  }
  return "none";
}

test("what is wrong is named with its whole path", () => {
  const raw = answerOf({ transactions: [{ logs: [{ data: "0x" }, { data: "0x1" }] }] });
  assert.equal(
    wrongField(() =>
      raw.objects("transactions", 9, (tx) => tx.objects("logs", 9, (log) => log.data("data"))),
    ),
    "transactions[0].logs[1].data",
  );
  assert.equal(
    wrongField(() => answerOf([])),
    "block",
  );
  assert.equal(
    wrongField(() => answerOf({ words: ["0x"] }).words("words", 9)),
    "words[0]",
  );
});

test("a field that is null is as one that is missing: null where it may be, wrong where it must not", () => {
  for (const raw of [answerOf({}), answerOf({ gas: null })]) {
    assert.equal(raw.quantityOrNull("gas", 64), null);
    assert.equal(raw.integerOrNull("gas", 9), null);
    assert.equal(raw.bytesOrNull("gas", 9), null);
    assert.equal(
      wrongField(() => raw.quantity("gas", 64)),
      "gas",
    );
  }
});

test("an integer and a list are no larger than they may be", () => {
  const raw = answerOf({ type: "0xff", list: [1, 2] });
  assert.equal(raw.integer("type", 255), 255);
  assert.equal(
    wrongField(() => raw.integer("type", 254)),
    "type",
  );
  assert.deepEqual(raw.list("list", 2), [1, 2]);
  assert.equal(
    wrongField(() => raw.list("list", 1)),
    "list",
  );
});

test("what is said twice must agree, however it is written", () => {
  const word = `0x${"ab".repeat(32)}` as const;
  const raw = answerOf({ blockHash: word.toUpperCase().replace("0X", "0x"), blockNumber: "0x07" });
  raw.expectWord("blockHash", word);
  raw.expectQuantity("blockNumber", "0x7");
  assert.equal(
    wrongField(() => raw.expectQuantity("blockNumber", "0x8")),
    "blockNumber",
  );
  assert.equal(
    wrongField(() => raw.expectWord("blockHash", `0x${"00".repeat(32)}`)),
    "blockHash",
  );
});

test("fields that are not known are kept as they are, but for what jsonb cannot hold", () => {
  const known = new Set(["hash"]);
  const sent = JSON.parse('{"hash": "0x", "l1Fee": "0x1", "none": null, "__proto__": {"a": 1}}') as unknown;
  assert.deepEqual(answerOf(sent).extra(known), { l1Fee: "0x1" });
  assert.equal(answerOf({ hash: "0x" }).extra(known), null);
  assert.equal(
    wrongField(() => answerOf({ note: "a\0b" }).extra(known)),
    "note",
  );
});
