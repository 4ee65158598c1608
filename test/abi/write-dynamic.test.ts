import assert from "node:assert/strict";
import { test } from "node:test";
import { type AbiParameter, encodeAbiParameters, type Hex } from "viem";
import { type CompiledEvent, parseEvent } from "../../src/abi/compile.js";
import { decoded, type Field } from "./decoded.js";

/** Data of an event without indexed arguments, of words and pieces of text as bytes. */
const words = (...parts: (bigint | number | string)[]): Hex =>
  `0x${parts
    .map((part) =>
      typeof part === "string" ? part : BigInt.asUintN(256, BigInt(part)).toString(16).padStart(64, "0"),
    )
    .join("")}`;

const text = (value: string | Buffer) =>
  Buffer.from(value as string)
    .toString("hex")
    .padEnd(64, "0");

function row(event: CompiledEvent, data: Hex): Record<string, Field> | undefined {
  return decoded(event, { topics: [`0x${event.topic0?.toString("hex")}`], data });
}

/** The first test's event, as viem encodes it. */
const parameters: AbiParameter[] = [
  { type: "string" },
  { type: "bytes" },
  { type: "uint8[]" },
  { type: "string[2]" },
  {
    type: "tuple",
    components: [
      { type: "address", name: "maker" },
      { type: "bytes32[]", name: "ids" },
      {
        type: "tuple[]",
        name: "parts",
        components: [
          { type: "bool", name: "ok" },
          { type: "string", name: "why" },
        ],
      },
    ],
  } as AbiParameter,
  { type: "int256[][2]" },
];

test("text, bytes, arrays and structs are decoded, however deep they lie", () => {
  const event = parseEvent(
    "E(string name, bytes raw, uint8[] small, string[2] pair, (address maker, bytes32[] ids, (bool ok, string why)[] parts) order, int256[][2] matrix)",
  );
  const maker = `0x${"11".repeat(20)}`;
  const id = `0x${"22".repeat(32)}`;
  const data = encodeAbiParameters(parameters, [
    "Zoë",
    "0x00ff",
    [1, 2, 255],
    ["", "b"],
    {
      maker,
      ids: [id],
      parts: [
        { ok: true, why: 'a "quoted"\n\\ word' },
        { ok: false, why: "" },
      ],
    },
    [[-1n], [2n ** 254n, 0n]],
  ]);
  assert.deepEqual(row(event, data), {
    name: "Zoë",
    raw: "0x00ff",
    small: [1n, 2n, 255n],
    pair: ["", "b"],
    order_maker: maker,
    order_ids: [id],
    order_parts: [
      { ok: true, why: 'a "quoted"\n\\ word' },
      { ok: false, why: "" },
    ],
    matrix: [["-1"], [String(2n ** 254n), "0"]],
    undecodable: null,
  });
});

test("numbers in jsonb are text, bytes are 0x text, and a field without a name is argN", () => {
  const event = parseEvent("E((uint8, bytes4 id, int8 n, address who, bytes raw)[] list)");
  const data = words(32, 1, 32, 7, "abcdef01".padEnd(64, "0"), -3, 1, 160, 2, "beef".padEnd(64, "0"));
  const who = `0x${"0".repeat(39)}1`;
  assert.deepEqual(row(event, data)?.list, [{ arg0: "7", id: "0xabcdef01", n: "-3", who, raw: "0xbeef" }]);
});

test("text with a NUL, or that is no UTF-8, is null and named; the rest of the row is there", () => {
  const event = parseEvent("E(uint8 a, string name, string[] list, (string why)[] parts)");
  const data = (name: string, item: string, why: string) =>
    words(7, 128, 192, 320, 3, name, 1, 32, 3, item).concat(words(1, 32, 32, 3, why).slice(2)) as Hex;
  const good = text("abc");
  const all = { a: 7n, name: "abc", list: ["abc"], parts: [{ why: "abc" }], undecodable: null };
  assert.deepEqual(row(event, data(good, good, good)), all);
  for (const bad of ["a\0c", Buffer.from([0x61, 0xff, 0x63]), Buffer.from([0xed, 0xa0, 0x80])]) {
    assert.deepEqual(row(event, data(text(bad), good, good)), { ...all, name: null, undecodable: ["name"] });
    assert.deepEqual(row(event, data(good, text(bad), good)), { ...all, list: null, undecodable: ["list"] });
    assert.deepEqual(row(event, data(text(bad), good, text(bad))), {
      ...all,
      ...{ name: null, parts: null, undecodable: ["name", "parts"] },
    });
  }
});

test("behind a text that is none, what does not fit is still found", () => {
  const event = parseEvent("E(string[] list)");
  const bad = text("a\0c");
  assert.deepEqual(row(event, words(32, 2, 64, 64, 3, bad)), { list: null, undecodable: ["list"] });
  assert.equal(row(event, words(32, 2, 64, 640, 3, bad)), undefined);
  const parts = parseEvent("E((string s, bool b)[] list)");
  assert.equal(row(parts, words(32, 2, 64, 160, 64, 1, 1, bad, 64, 2, 1, bad)), undefined);
});

test("offsets backwards and out of the data, and lengths of 2^256, do not fit", () => {
  const most = -1;
  const cases: Record<string, Hex[]> = {
    "E(string a)": [
      words(most, 0),
      words(64),
      words(33, 0),
      words(32, most),
      words(32, 33, 0),
      words(2n ** 32n, 0),
    ],
    "E(bytes a)": [words(2n ** 31n, 0), words(32, 2n ** 31n), words(32, 2n ** 255n), words(32, 1)],
    "E(uint8[] a)": [words(32, 2, 1), words(32, most), words(32, 2n ** 59n, 1), words(most, 1, 1)],
    "E(string[] a)": [words(32, 1), words(32, 2, 64, 64), words(32, 1, most), words(32, 2n ** 40n, 32, 0)],
    "E(string[2] a)": [words(32, 64), words(32, 64, 64), words(most, 64, 64, 0), words(96, 64, 64)],
    "E((uint8 a, string b) s)": [words(32, 1), words(64, 1, 64), words(most, 1, 64, 0), words(32, 1, 96, 0)],
    "E((string b)[] s)": [words(32, 1, 32), words(32, 1, 32, most), words(32, most, 32, 32, 0)],
    "E(uint8[][] a)": [words(32, 1, 32, most), words(32, 1, most), words(32, most, 32, 0)],
  };
  for (const [signature, list] of Object.entries(cases))
    for (const data of list)
      assert.equal(row(parseEvent(signature), data), undefined, `${signature} ${data}`);
});

test("offsets may lead back, and to one place, as long as they stay in the data", () => {
  // The offset of an array leads to itself: it is the length as well. Behind it must be something.
  assert.deepEqual(row(parseEvent("E(uint8[] a)"), words(0, 0))?.a, []);
  assert.equal(row(parseEvent("E(uint8[] a)"), words(0)), undefined);
  assert.deepEqual(row(parseEvent("E(string a, string b)"), words(64, 64, 1, text("x"))), {
    ...{ a: "x", b: "x", undecodable: null },
  });
});
