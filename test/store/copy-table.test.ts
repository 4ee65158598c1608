import assert from "node:assert/strict";
import { test } from "node:test";
import { copyTable } from "../../src/store/copy-table.js";
import type { BlockRows } from "../../src/store/to-rows.js";
import { copiedField, copiedRows } from "./copied-rows.js";

const block = { header: { number: 7 }, items: [3, 5] } as unknown as BlockRows & { items: number[] };

const table = copyTable<number>("items", (rows) => (rows as typeof block).items, [
  ["block_number", (out, _row, header) => out.int8(header.number)],
  ["value", (out, row) => out.int4(row)],
  ["later", (out) => out.int4(null), 2],
]);

test("a table is named, its block's column is the first, and a column is covered from version 1 on unless told", () => {
  const { name, blockColumn, columns, covered } = table;
  assert.deepEqual(
    { name, blockColumn, columns, covered },
    {
      name: "items",
      blockColumn: "block_number",
      columns: ["block_number", "value", "later"],
      covered: [
        { name: "block_number", since: 1 },
        { name: "value", since: 1 },
        { name: "later", since: 2 },
      ],
    },
  );
});

test("a row is written for each of a block's, its columns in their order", () => {
  assert.equal(table.count(block), 2);
  const number = copiedField((out) => out.int8(7));
  assert.deepEqual(
    copiedRows((out) => table.write(out, block)),
    [3, 5].map((value) => [number, copiedField((out) => out.int4(value)), null]),
  );
});

test("a block without rows writes nothing", () => {
  assert.deepEqual(
    copiedRows((out) => table.write(out, { ...block, items: [] } as typeof block)),
    [],
  );
});
