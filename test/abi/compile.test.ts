import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeAbiParameters, pad } from "viem";
import { compileCalls, compileEvents, parseCall, parseEvent } from "../../src/abi/compile.js";
import { SignatureError } from "../../src/abi/signature-error.js";
import { decoded } from "./decoded.js";

const swap =
  "Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)";
const sender = `0x${"11".repeat(20)}` as const;
const to = `0x${"22".repeat(20)}` as const;

function swapLog(amounts: readonly [bigint, bigint, bigint, bigint]) {
  const { topic0 } = parseEvent(swap);
  const types = Array.from({ length: 4 }, () => ({ type: "uint256" }) as const);
  return {
    topics: [`0x${topic0?.toString("hex")}`, pad(sender), pad(to)],
    data: encodeAbiParameters(types as never, amounts as never),
  };
}

test("an event becomes its topics, a table's name, and columns that quote the signature", () => {
  const event = parseEvent(swap);
  assert.equal(event.topic0?.toString("hex").slice(0, 8), "d78ad95f");
  assert.deepEqual([event.table, event.topics, event.definition, event.isStatic], ["swap", 3, swap, true]);
  assert.deepEqual(
    event.columns.map(({ name, type, comment }) => [name, type, comment]),
    [
      ["sender", "bytea", "The argument: address indexed sender."],
      ["amount0_in", "numeric(78,0)", "The argument: uint256 amount0In."],
      ["amount1_in", "numeric(78,0)", "The argument: uint256 amount1In."],
      ["amount0_out", "numeric(78,0)", "The argument: uint256 amount0Out."],
      ["amount1_out", "numeric(78,0)", "The argument: uint256 amount1Out."],
      ["to_", "bytea", "The argument: address indexed to."],
    ],
  );
});

test("a log becomes fields, whatever the size of its numbers", () => {
  const event = parseEvent(swap);
  for (const value of [0n, 1n, 9_999n, 10_000n, 2n ** 53n - 1n, 2n ** 53n, 10n ** 40n, 2n ** 256n - 1n])
    assert.deepEqual(decoded(event, swapLog([value, 0n, 7n, 2n ** 128n])), {
      ...{ sender, amount0_in: value, amount1_in: 0n, amount0_out: 7n, amount1_out: 2n ** 128n, to_: to },
      undecodable: null,
    });
});

test("a log with fewer or more topics, or with less data, does not fit", () => {
  const event = parseEvent(swap);
  const { topics, data } = swapLog([1n, 2n, 3n, 4n]);
  assert.equal(decoded(event, { topics: topics.slice(0, 2), data }), undefined);
  assert.equal(decoded(event, { topics: [...topics, pad(to)], data }), undefined);
  assert.equal(decoded(event, { topics, data: data.slice(0, -2) }), undefined);
  assert.notEqual(decoded(event, { topics, data: `${data}ff` }), undefined);
});

test("a call is its selector, and its arguments are decoded as those of an event are", () => {
  const call = parseCall("transfer(address to, uint256 value) returns (bool)");
  assert.equal(call.selector.toString("hex"), "a9059cbb");
  const data = encodeAbiParameters([{ type: "address" }, { type: "uint256" }], [to, 5n]);
  assert.deepEqual(decoded(call, { topics: [], data }), { to_: to, value: 5n, undecodable: null });
  assert.throws(() => compileCalls([swap.replace("Swap", "event Swap")]), SignatureError);
});

test("of overloads the first keeps the name, and the others get their topic0's first digits", () => {
  const events = compileEvents(["Swap(address indexed a, uint256 b)", swap]);
  assert.deepEqual(
    events.map(({ table }) => table),
    ["swap", "swap_d78ad95f"],
  );
});
