import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCKS } from "../../src/fields/tables.js";
import { beginBlocksRow, blocksTable } from "../../src/store/blocks-table.js";
import { rowsOf } from "../support/stored-block.js";
import { copiedField, copiedRows } from "./copied-rows.js";

test("the row has the described columns, then the digest's version and the digest, which the digest does not cover", () => {
  const described = BLOCKS.columns.map(({ name }) => name);
  assert.deepEqual(blocksTable.columns, [...described, "digest_version", "digest"]);
  assert.deepEqual(
    blocksTable.covered.map(({ name }) => name),
    described,
  );
});

test("a begun row counts all columns, and has the values of all but the last two", () => {
  const block = rowsOf({ number: 7, transactions: [0, 2], logsPerTransaction: 3 });
  const [row] = copiedRows((out) => beginBlocksRow(out, block));
  assert.equal(row?.length, blocksTable.columns.length);
  assert.deepEqual(row?.slice(-2), ["", ""], "they are written when the digest is known");
  const at = (column: string) => row?.[blocksTable.columns.indexOf(column)];
  assert.equal(
    at("number"),
    copiedField((out) => out.int8(7)),
  );
  assert.equal(at("hash"), block.header.hash.slice(2));
  assert.equal(
    at("transaction_count"),
    copiedField((out) => out.int4(2)),
  );
  assert.equal(
    at("log_count"),
    copiedField((out) => out.int4(6)),
  );
  assert.equal(
    at("verified"),
    copiedField((out) => out.textArray(block.verified)),
  );
});
