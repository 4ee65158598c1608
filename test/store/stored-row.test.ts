import assert from "node:assert/strict";
import { test } from "node:test";
import { type Contradiction, StoredRow } from "../../src/store/stored-row.js";

function read<T>(value: unknown, how: (row: StoredRow) => T): { value: T; wrong: Contradiction[] } {
  const wrong: Contradiction[] = [];
  const row = new StoredRow({ column: value }, { table: "logs", place: "logs[3]", wrong });
  return { value: how(row), wrong };
}

const accepted: [unknown, (row: StoredRow) => unknown, unknown][] = [
  ["0xab", (row) => row.bytes("column", 1), "0xab"],
  ["255", (row) => row.quantity("column", 8), "0xff"],
  ["1700000000.000000", (row) => row.seconds("column"), 1_700_000_000],
  [`0x${"00".repeat(31)}0f`, (row) => row.word("column"), "0xf"],
  [`0x${"00".repeat(32)}`, (row) => row.word("column"), "0x0"],
  [{ l1Fee: "0x1" }, (row) => row.extra("column"), { l1Fee: "0x1" }],
  [null, (row) => row.extra("column"), null],
];

const refused: [unknown, (row: StoredRow) => unknown][] = [
  ["0xabcd", (row) => row.bytes("column", 1)],
  ["256", (row) => row.quantity("column", 8)],
  ["-1", (row) => row.quantity("column", 8)],
  [256, (row) => row.integer("column", { max: 255 })],
  ["1700000000.500000", (row) => row.seconds("column")],
  [{}, (row) => row.extra("column")],
  ["erc20", (row) => row.text("column", ["erc721"])],
  [null, (row) => row.data("column")],
];

test("what the parser would have let through is read back as it was", () => {
  for (const [stored, how, expected] of accepted)
    assert.deepEqual(read(stored, how), { value: expected, wrong: [] }, JSON.stringify(stored));
});

test("what somebody put there is named with its table and place, and nothing is thrown", () => {
  for (const [stored, how] of refused) {
    const [first, ...more] = read(stored, how).wrong;
    assert.deepEqual([first?.table, first?.field, more], ["logs", "logs[3].column", []], String(stored));
  }
});
