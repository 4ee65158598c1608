// What is written into a column follows from the field that it holds.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Header } from "../../src/block.js";
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
import type { Column, ColumnValue, Table } from "../../src/fields/tables.js";
import type { CopyWriter } from "../../src/store/copy-writer.js";
import { tableColumns } from "../../src/store/table-columns.js";
import { copiedField } from "./copied-rows.js";

const header = { number: 7, extra: { of: "the header" } } as unknown as Header;

function column(value: ColumnValue, kind: Kind = integer(9), digest = 1): Column {
  return { name: "column", type: columnType(kind), isNullable: false, digest, value };
}

function held(kind: Kind, item?: number): ColumnValue {
  const field: Field = { kind };
  return { of: "row", name: "value", field, ...(item === undefined ? {} : { item }) };
}

/** What is written of a row into a column. */
function written(described: Column, row: unknown): string | null {
  const [[, write]] = tableColumns<unknown>({ name: "rows", columns: [described] });
  return copiedField((out) => write(out, row, header));
}

const kinds: [kind: Kind, value: unknown, write: (out: CopyWriter) => void][] = [
  [integer(9), 5, (out) => out.int2(5)],
  [integer(100_000), 5, (out) => out.int4(5)],
  [integer(Number.MAX_SAFE_INTEGER), 5, (out) => out.int8(5)],
  [time, 1_700_000_000, (out) => out.timestamptz(1_700_000_000)],
  [quantity(64), "0x5", (out) => out.numeric("0x5")],
  [word, "0x5", (out) => out.bytea32("0x5")],
  [hash, `0x${"ab".repeat(32)}`, (out) => out.bytea(`0x${"ab".repeat(32)}`)],
  [data, "0xab", (out) => out.bytea("0xab")],
  [words(4), [`0x${"ab".repeat(32)}`], (out) => out.byteaArray([`0x${"ab".repeat(32)}`])],
  [objects({ address: { kind: address } }, 4), [{ address: "0x" }], (out) => out.jsonb([{ address: "0x" }])],
  [{ is: "text", oneOf: ["erc20"] }, "erc20", (out) => out.text("erc20")],
];

test("a value is written by its kind, and a number by its column's size", () => {
  for (const [kind, value, write] of kinds)
    assert.equal(written(column(held(kind), kind), { value }), copiedField(write), kind.is);
});

test("null is null in every kind of column that may be null", () => {
  for (const [kind] of kinds.filter(([{ is }]) => is !== "text"))
    assert.equal(written(column(held(kind), kind), { value: null }), null, kind.is);
});

test("an item of a list has its own column, which is null where the list is shorter", () => {
  const row = { value: ["0x01", "0x02"] };
  const items = [0, 1, 2].map((item) => written(column(held(hash, item), hash), row));
  assert.deepEqual(items, ["01", "02", null]);
});

test("a value is taken from who has it: the row, its receipt, or the header", () => {
  const of = (owner: "row" | "receipt" | "header") =>
    written(column({ of: owner, name: "number", field: { kind: integer(9) } }), {
      number: 1,
      receipt: { number: 2 },
    });
  assert.deepEqual(
    [of("row"), of("receipt"), of("header")],
    [1, 2, 7].map((value) => copiedField((out) => out.int2(value))),
  );
});

test("rows are counted where they lie: a block's in the block, a transaction's logs in its receipt", () => {
  const count = (row: unknown) => written(column({ count: "logs" }), row);
  assert.equal(
    count({ logs: [1, 2] }),
    copiedField((out) => out.int4(2)),
  );
  assert.equal(
    count({ logs: [1, 2], receipt: { logs: [1, 2, 3] } }),
    copiedField((out) => out.int4(3)),
  );
  assert.equal(
    count({}),
    copiedField((out) => out.int4(0)),
  );
});

test("extra is the header's in a block's row; a transaction's holds its receipt's below its own", () => {
  const extra = (row: unknown) => written(column({ made: "extra" }), row);
  const json = (value: object | null) => copiedField((out) => out.jsonb(value));
  assert.equal(extra({}), json({ of: "the header" }));
  assert.equal(extra({ extra: { a: 1 }, receipt: { extra: null } }), json({ a: 1 }));
  assert.equal(extra({ extra: null, receipt: { extra: null } }), null);
  assert.equal(extra({ extra: { a: 1 }, receipt: { extra: { b: 2 } } }), json({ a: 1, receipt: { b: 2 } }));
  assert.equal(extra({ extra: null, receipt: { extra: { b: 2 } } }), json({ receipt: { b: 2 } }));
});

test("a column has its description's digest version; a description without columns, or of a field without one, is refused", () => {
  const table = (columns: Column[]): Table => ({ name: "rows", columns });
  const [[name, , since]] = tableColumns(table([column(held(integer(9)), integer(9), 3)]));
  assert.deepEqual([name, since], ["column", 3]);
  assert.throws(() => tableColumns(table([])), /rows has no columns/);
  assert.throws(() => tableColumns(table([column(held({ is: "false", unless: "a block" }))])), /no column/);
});
