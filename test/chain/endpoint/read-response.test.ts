import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpRequestError } from "viem";
import { excerptOf, readAnswer, readBatch } from "../../../src/chain/endpoint/read-response.js";

const sent = { id: 7, method: "eth_chainId", params: [] };
const response = (status: number, text: string) => ({ status, text, name: "node", retryAfter: "3" });

test("a JSON-RPC answer to the call is believed, whatever the status", () => {
  for (const status of [200, 404, 500])
    assert.deepEqual(readAnswer(sent, response(status, '{"id":7,"result":"0x1"}')), { result: "0x1" });
  assert.deepEqual(readAnswer(sent, response(500, '{"id":7,"error":{"code":-32603,"message":"no"}}')), {
    error: { code: -32603, message: "no", status: 500, retryAfter: "3" },
  });
});

test("a status whose body answers another call, or none, is what counts", () => {
  for (const text of ['{"id":8,"result":"0x1"}', "<html></html>", ""]) {
    assert.throws(
      () => readAnswer(sent, response(503, text)),
      (error) => error instanceof HttpRequestError && error.status === 503,
    );
  }
});

test("the one error of a batch is each call's", () => {
  const calls = [sent, { ...sent, id: 8 }];
  const error = { code: -32600, message: "batch too large" };
  for (const body of [{ id: null, error }, [{ id: 7, error }]])
    assert.deepEqual(readBatch(calls, response(200, JSON.stringify(body))), [{ error }, { error }]);
});

test("of a page its words are told", () => {
  assert.equal(
    excerptOf("<html><style>p {}</style><h1>502</h1>\n<p>Bad Gateway</p></html>"),
    "502 Bad Gateway",
  );
});
