import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionGuard } from "../../../src/chain/endpoint/connection-guard.js";
import type { RpcAnswer } from "../../../src/chain/endpoint/wire.js";
import { ChangedChainError, EndpointUnavailableError } from "../../../src/errors.js";

/** A guard that expects chain 1, and counts what is asked. */
function setGuard(answer: RpcAnswer) {
  let asked = 0;
  const guard = new ConnectionGuard({ name: "node", expected: () => 1 });
  const send = async (): Promise<RpcAnswer> => {
    asked += 1;
    return answer;
  };
  return { guard, send, asked: () => asked };
}

test("a connection is asked once, and calls that come together share the question", async () => {
  const { guard, send, asked } = setGuard({ result: "0x1" });
  const connection = {};
  assert.equal(guard.mayPass(connection, "eth_getBlockByNumber"), false);
  assert.equal(guard.mayPass(connection, "eth_chainId"), true);
  await Promise.all([guard.check(connection, send), guard.check(connection, send)]);
  assert.equal(guard.mayPass(connection, "eth_getBlockByNumber"), true);
  assert.equal(asked(), 1);
  assert.equal(guard.mayPass({}), false);
});

test("a connection that leads to another chain does not pass", async () => {
  const { guard, send } = setGuard({ result: "0x5" });
  const connection = {};
  await assert.rejects(guard.check(connection, send), (error) => {
    assert(error instanceof ChangedChainError);
    assert.match(error.message, /node serves chain 5 now, and served chain 1 before/);
    return true;
  });
  assert.equal(guard.mayPass(connection), false);
});

test("while no chain is expected everything passes", () => {
  assert.equal(new ConnectionGuard({ name: "node", expected: () => null }).mayPass({}), true);
});

test("an endpoint that does not tell its chain is away, and is asked again", async () => {
  const { guard, send, asked } = setGuard({ error: { code: -32601, message: "the method does not exist" } });
  const connection = {};
  for (const times of [1, 2]) {
    await assert.rejects(guard.check(connection, send), EndpointUnavailableError);
    assert.equal(asked(), times);
  }
});
