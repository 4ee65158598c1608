import assert from "node:assert/strict";
import { test } from "node:test";
import { compileEvents, parseEvent } from "../../src/abi/compile.js";
import { readSignatures } from "../../src/abi/read-signatures.js";
import { SignatureError } from "../../src/abi/signature-error.js";

test("an event is written with or without its keyword, in lines, with Solidity's semicolon, or as JSON", () => {
  const inputs = [{ type: "address", name: "who", indexed: true }, { type: "uint256" }];
  const written = [
    "Paid(address indexed who, uint)",
    "event Paid(address indexed who, uint256);",
    "  event Paid(\n    address indexed who,\n    uint256\n  ) ;",
    { type: "event", name: "Paid", inputs },
  ];
  for (const source of written)
    assert.equal(parseEvent(source).definition, "Paid(address indexed who, uint256)");
});

test("structs are known to all signatures that stand beside them", () => {
  const [event] = compileEvents([
    "Filled(Order order, uint8)",
    "struct Order { address maker; uint256[] ids; }",
  ]);
  assert.equal(event?.definition, "Filled((address maker, uint256[] ids) order, uint8)");
  assert.equal(event?.signature, "Filled((address,uint256[]),uint8)");
});

test("an anonymous event has no topic0, and may index four arguments", () => {
  const text = "Note(bytes4 indexed a, address indexed b, uint8 indexed c, bytes32 indexed d, bytes e)";
  for (const source of [`${text} anonymous`, `event ${text} anonymous;`]) {
    const { topic0, topics, definition } = parseEvent(source);
    assert.deepEqual([topic0, topics, definition], [undefined, 4, `${text} anonymous`]);
  }
  assert.throws(() => parseEvent(text), /4 indexed arguments: a log has no topics for them/);
});

test("what is no signature is refused in one line that repeats it", () => {
  const wrong = ["", "Foo", "Foo(uint256 a", "Foo(addres a)", "function foo()", "Foo(uint256 a) external"];
  for (const text of wrong)
    assert.throws(
      () => readSignatures("event", [text]),
      (error) =>
        error instanceof SignatureError && !error.message.includes("\n") && error.message.includes(text),
      text,
    );
});

test("JSON that is no item of an ABI, or another kind of item, is refused", () => {
  const wrong: object[] = [
    {},
    [],
    { type: "function", name: "f", inputs: [] },
    { type: "event", inputs: [] },
  ];
  for (const item of [
    ...wrong,
    { type: "event", name: "E", inputs: [7] },
    { type: "event", name: "E x", inputs: [] },
  ])
    assert.throws(() => readSignatures("event", [item]), SignatureError);
});
