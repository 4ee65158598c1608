import assert from "node:assert/strict";
import { test } from "node:test";
import {
  MalformedAnswerError,
  matchAnswer,
  matchBatch,
  parseAnswer,
  readError,
} from "../../../src/chain/endpoint/match-answers.js";

const calls = [7, 8, 9].map((id) => ({ id, method: "eth_chainId", params: [] }));
const [call] = calls as [(typeof calls)[number]];
const result = (id: number) => ({ jsonrpc: "2.0", id, result: `of ${id}` });
const malformed = (field: string) => (error: unknown) =>
  error instanceof MalformedAnswerError && error.field === field;

test("an answer with another call's id is not believed", () => {
  assert.deepEqual(matchAnswer(call, result(7)), { result: "of 7" });
  assert.throws(() => matchAnswer(call, result(8)), malformed("id"));
  assert.throws(() => matchAnswer(call, { result: 1 }), malformed("id"));
});

test("an error without an id is the answer to what was asked", () => {
  for (const id of [null, undefined])
    assert.deepEqual(matchAnswer(call, { id, error: { code: -32700, message: "busy" } }), {
      error: { code: -32700, message: "busy" },
    });
});

test("a result of null is a result, none is not, and an error of null is no error", () => {
  assert.deepEqual(matchAnswer(call, { id: 7, result: null, error: null }), { result: null });
  assert.throws(() => matchAnswer(call, { id: 7 }), malformed("result"));
});

test("a batch's answers are given in the order of the calls, whatever order they came in", () => {
  assert.deepEqual(matchBatch(calls, [result(9), result(7), result(8)]), [
    { result: "of 7" },
    { result: "of 8" },
    { result: "of 9" },
  ]);
});

test("a call that the batch leaves out has an error; the others keep their results", () => {
  const answers = matchBatch(calls, [result(9), result(7)]);
  assert.deepEqual([answers[0], answers[2]], [{ result: "of 7" }, { result: "of 9" }]);
  assert.match(JSON.stringify(answers[1]), /leaves it out/);
});

test("a batch that is refused as a whole is refused for each call, bare or alone in a list", () => {
  const refusal = { id: 7, error: { code: -32600, message: "too many" } };
  for (const raw of [refusal, [refusal]])
    assert.deepEqual(
      matchBatch(calls, raw),
      calls.map(() => ({ error: { code: -32600, message: "too many" } })),
    );
});

test("an id twice, or one that was not asked for, makes the whole batch's answer one that is not believed", () => {
  assert.throws(() => matchBatch(calls, [result(7), result(7), result(8)]), malformed("answer[1].id"));
  assert.throws(() => matchBatch(calls, [result(7), result(10)]), malformed("answer[1].id"));
  assert.throws(() => matchBatch(calls, { id: 7, result: 1 }), malformed("answer"));
});

test("what is no JSON is told with its beginning", () => {
  assert.throws(
    () => parseAnswer("<html>rate limited"),
    (error) => error instanceof MalformedAnswerError && error.text === "<html>rate limited",
  );
});

test("an error is read whatever the server made of it, and can be stored", () => {
  assert.deepEqual(readError("slow down"), { code: 0, message: "slow down" });
  assert.deepEqual(readError({ code: "-32005", message: "limit" }), { code: -32_005, message: "limit" });
  assert.deepEqual(readError(null), { code: 0, message: "no message" });
  assert.equal(readError({ code: 3, message: "failed", data: "why" }).message, "failed (why)");
  assert.equal(readError({ code: 3, message: "reverted", data: "0x08c3" }).message, "reverted");
  assert.equal(readError({ message: "a\0b" }).message, "a\u{fffd}b");
});
