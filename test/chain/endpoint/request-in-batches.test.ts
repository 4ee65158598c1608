import assert from "node:assert/strict";
import { test } from "node:test";
import { requestInBatches } from "../../../src/chain/endpoint/request-in-batches.js";
import type { RpcAnswer } from "../../../src/chain/endpoint/wire.js";
import { EndpointError } from "../../../src/errors.js";

const calls = Array.from({ length: 20 }, (_, i) => [i]);

/** Asks a server that answers a batch so; resolves with the results, and what was sent. */
async function ask(answer: (part: unknown[][]) => RpcAnswer[] | Error, failsSingly = false) {
  let size = 20;
  const sent = { batches: [] as number[], singly: 0 };
  const results = await requestInBatches(calls, {
    size: () => size,
    shrinkTo: (to) => {
      size = Math.min(size, to);
    },
    async request([n]) {
      sent.singly += 1;
      if (failsSingly) throw new EndpointError("it is down");
      return n;
    },
    async sendBatch(part) {
      sent.batches.push(part.length);
      const answers = answer(part);
      if (answers instanceof Error) throw answers;
      return answers;
    },
  });
  return { results, sent, size };
}

const all = (part: unknown[][]): RpcAnswer[] => part.map(([n]) => ({ result: n }));
const error = { error: { code: -32003, message: "response too large" } };
const expected = calls.map(([n]) => n);

test("a batch that is answered costs one request", async () => {
  const { results, sent } = await ask(all);
  assert.deepEqual([results, sent], [expected, { batches: [20], singly: 0 }]);
});

test("whatever way batches beyond five calls are refused in, all results come, in order, and batches are smaller", async () => {
  const refusals: ((part: unknown[][]) => RpcAnswer[] | Error)[] = [
    (part) => part.map(() => error),
    (part) => part.map(([n], i) => (i < 5 ? { result: n } : error)),
    () => new Error("the connection was closed"),
  ];
  for (const refuse of refusals) {
    const { results, size } = await ask((part) => (part.length > 5 ? refuse(part) : all(part)));
    assert.deepEqual(results, expected);
    assert(size <= 10);
  }
});

test("when a call fails by itself too, its error is thrown, and nothing else is asked for", async () => {
  await assert.rejects(
    ask(() => new Error("no answer"), true),
    (thrown) => thrown instanceof EndpointError,
  );
});
