import assert from "node:assert/strict";
import { test } from "node:test";
import type { AbiParameter } from "viem";
import { parseEvent } from "../../src/abi/compile.js";
import { columnType, flatten } from "../../src/abi/flatten.js";
import { parseType } from "../../src/abi/parse-type.js";

const columnsOf = (signature: string, rename?: Record<string, string>) =>
  parseEvent(signature, { rename }).columns.map(({ name, type }) => `${name} ${type}`);

test("a type becomes the smallest column that holds all of its values", () => {
  const types: Record<string, string> = {
    ...{ uint8: "integer", uint24: "integer", uint32: "bigint", uint56: "bigint", uint64: "numeric(78,0)" },
    ...{ int8: "integer", int32: "integer", int40: "bigint", int64: "bigint", int72: "numeric(78,0)" },
    ...{ uint256: "numeric(78,0)", int256: "numeric(78,0)", bool: "boolean", address: "bytea" },
    ...{ bytes4: "bytea", bytes32: "bytea", function: "bytea", bytes: "bytea", string: "text" },
    ...{
      "uint8[]": "integer[]",
      "uint256[3]": "numeric(78,0)[]",
      "string[]": "text[]",
      "bool[2]": "boolean[]",
    },
    ...{ "address[]": "bytea[]", "int64[]": "bigint[]", "uint256[][]": "jsonb", "uint8[2][2]": "jsonb" },
  };
  const found = Object.keys(types).map((type) => [type, columnType(parseType({ type } as AbiParameter))]);
  assert.deepEqual(Object.fromEntries(found), types);
});

test("a struct is flattened, also within a struct; an array of structs is jsonb", () => {
  assert.deepEqual(
    columnsOf(
      "E((address maker, (uint8 kind, string name) asset, uint256[] ids) order, (address to, uint256)[] parts)",
    ),
    [
      "order_maker bytea",
      "order_asset_kind integer",
      "order_asset_name text",
      "order_ids numeric(78,0)[]",
      "parts jsonb",
    ],
  );
});

test("an indexed argument of which a log has only the hash is NAME_hash", () => {
  assert.deepEqual(columnsOf("E(string indexed name, uint8[] indexed, (address a) indexed pair)"), [
    "name_hash bytea",
    "arg1_hash bytea",
    "pair_hash bytea",
  ]);
});

test("reserved words, fixed columns and unnamed arguments get names that psql takes without quotes", () => {
  assert.deepEqual(
    columnsOf(
      "E(address indexed _from, address to, uint256 blockNumber, address, uint8 undecodable, uint8 log_index)",
    ),
    [
      "from_ bytea",
      "to_ bytea",
      "block_number_ numeric(78,0)",
      "arg3 bytea",
      "undecodable_ integer",
      "log_index_ integer",
    ],
  );
});

test("a column's name has at most 63 bytes, and two long ones stay two", () => {
  const long = "x".repeat(70);
  const [first = "", second = ""] = columnsOf(`E(uint8 ${long}1, uint8 ${long}2)`);
  assert.match(first, /^x{54}_[0-9a-f]{8} integer$/);
  assert.notEqual(first, second);
});

test("two arguments that become one column are refused, with their names, until one is renamed", () => {
  const clash = "E(address _owner, address owner)";
  assert.throws(
    () => columnsOf(clash),
    /E\(address,address\): the arguments _owner \(0\) and owner \(1\) both become the column owner: rename/,
  );
  assert.deepEqual(columnsOf(clash, { "E._owner": "old_owner" }), ["old_owner bytea", "owner bytea"]);
});

test("an argument is renamed by its name, its index, or a field's path", () => {
  const signature = "PairCreated(address indexed token0, (address maker, uint8) order, uint256)";
  const rename = {
    "PairCreated.2": "pair_count",
    "PairCreated.order.maker": "who",
    "PairCreated.1.1": "kind",
  };
  assert.deepEqual(columnsOf(signature, rename), [
    "token0 bytea",
    "who bytea",
    "kind integer",
    "pair_count numeric(78,0)",
  ]);
});

test("a rename that names nothing, or to a name that is none or taken, is refused", () => {
  const renamed = (rename: Record<string, string>) => () => columnsOf("E(address a, uint8)", rename);
  assert.throws(renamed({ "E.b": "c" }), /rename of b: no such argument; there are a or 0, 1/);
  assert.throws(
    renamed({ "F.a": "c" }),
    /rename of F.a: expected NAME or NAME.ARGUMENT of one of E\(address,uint8\)/,
  );
  assert.throws(renamed({ "E.a": "" }), /expected a name of 1 to 63 bytes/);
  assert.throws(renamed({ "E.a": "x".repeat(64) }), /expected a name of 1 to 63 bytes/);
  assert.throws(renamed({ "E.a": "address" }), /every such table has a column address/);
  assert.throws(renamed({ "E.a": "arg1" }), /both become the column arg1/);
});

test("places are counted in topics, and in bytes of the frame that a value stands in", () => {
  const inputs = [
    { type: "uint8", name: "a" },
    { type: "address", name: "b", indexed: true },
    { type: "uint8[3]", name: "c" },
    {
      type: "tuple",
      name: "d",
      components: [
        { type: "uint8", name: "x" },
        { type: "string", name: "y" },
      ],
    },
    {
      type: "tuple",
      name: "e",
      components: [
        { type: "uint8", name: "x" },
        { type: "bool", name: "y" },
      ],
    },
  ] as AbiParameter[];
  const { columns, frames, indexed } = flatten(inputs, { firstTopic: 0, taken: new Set() });
  assert.equal(indexed, 1);
  assert.deepEqual(
    columns.map(({ name, place }) => [name, place]),
    [
      ["a", { frame: 0, byte: 0 }],
      ["b", { topic: 0 }],
      ["c", { frame: 0, byte: 32 }],
      ["d_x", { frame: 1, byte: 0 }],
      ["d_y", { frame: 1, byte: 32 }],
      ["e_x", { frame: 0, byte: 160 }],
      ["e_y", { frame: 0, byte: 192 }],
    ],
  );
  assert.deepEqual(frames, [
    { parent: 0, byte: 0, headBytes: 224 },
    { parent: 0, byte: 128, headBytes: 64 },
  ]);
});
