// The inverse of table-columns.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Field, Kind } from "../../src/fields/field.js";
import {
  address,
  columnType,
  data,
  hash,
  integer,
  objects,
  quantity,
  time,
  word,
  words,
} from "../../src/fields/kinds.js";
import { type Column, LOGS, type Owner, type Table } from "../../src/fields/tables.js";
import { columnsReader, itemColumns } from "../../src/store/read-columns.js";
import { type Contradiction, StoredRow } from "../../src/store/stored-row.js";

function column(name: string, kind: Kind, { of = "row" as Owner, more = {} as Partial<Field> } = {}): Column {
  const field: Field = { kind, ...more };
  const value = { of, name: `${name}Field`, field };
  return { name, type: columnType(kind), isNullable: more.optional !== undefined, digest: 1, value };
}

/** What is read of a row, and what is wrong with it. */
function read(columns: Column[], row: Record<string, unknown>, owner: Owner = "row") {
  const wrong: Contradiction[] = [];
  const table: Table = { name: "rows", columns };
  const object = columnsReader<Record<string, unknown>>(
    table,
    owner,
  )(new StoredRow(row, { table: "rows", place: "", wrong }));
  return { object, wrong: wrong.map(({ field }) => field) };
}

const bytes32 = `0x${"ab".repeat(32)}`;

const kinds: [kind: Kind, stored: unknown, value: unknown, wrong: unknown][] = [
  [integer(9), 5, 5, 10],
  [time, "1700000000.000000", 1_700_000_000, "1700000000.5"],
  [quantity(64), "255", "0xff", "18446744073709551616"],
  [word, `0x${"00".repeat(31)}0f`, "0xf", "0x0f"],
  [hash, bytes32, bytes32, "0xab"],
  [data, "0xab", "0xab", 5],
  [words(4), [bytes32], [bytes32], ["0xab"]],
  [
    objects({ address: { kind: address } }, 4),
    [{ address: `0x${"ab".repeat(20)}` }],
    [{ address: `0x${"ab".repeat(20)}` }],
    [{ address: "0xab" }],
  ],
  [{ is: "text", oneOf: ["erc20"] }, "erc20", "erc20", "erc21"],
];

test("a value is read by its kind into the field that the column holds; one that no block can have is told", () => {
  for (const [kind, stored, value, wrong] of kinds) {
    assert.deepEqual(
      read([column("a", kind)], { a: stored }),
      { object: { aField: value }, wrong: [] },
      kind.is,
    );
    assert.deepEqual(read([column("a", kind)], { a: wrong }).wrong, ["a"], kind.is);
  }
});

test("null is a value of a field that may be null, and of no other", () => {
  const optional = column("a", hash, { more: { optional: "a contract's creation" } });
  assert.deepEqual(read([optional], { a: null }), { object: { aField: null }, wrong: [] });
  const since = column("a", hash, { more: { since: "London" } });
  assert.deepEqual(read([since], { a: null }), { object: { aField: null }, wrong: [] });
  assert.deepEqual(read([column("a", hash)], { a: null }).wrong, ["a"]);
});

test("a reader takes the fields of one owner alone, and leaves what is no field and what is one item of a list", () => {
  const columns: Column[] = [
    column("a", integer(9)),
    column("b", integer(9), { of: "receipt" }),
    { name: "log_count", type: "int", isNullable: false, digest: 1, value: { count: "logs" } },
    ...LOGS.columns.filter(({ name }) => name === "topic0"),
  ];
  const row = { a: 1, b: 2, log_count: 3, topic0: bytes32 };
  assert.deepEqual(read(columns, row).object, { aField: 1 });
  assert.deepEqual(read(columns, row, "receipt").object, { bField: 2 });
});

test("the columns of a list's items are found in their order", () => {
  assert.deepEqual(itemColumns(LOGS, "topics"), ["topic0", "topic1", "topic2", "topic3"]);
  assert.deepEqual(itemColumns(LOGS, "data"), []);
});

test("a field that must be false has no column to be read", () => {
  assert.throws(() => read([column("a", { is: "false", unless: "a block" })], { a: false }), /has no column/);
});
