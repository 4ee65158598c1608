import assert from "node:assert/strict";
import { test } from "node:test";
import { statementName } from "../../src/db/statement-name.js";

test("a statement is called by its name, or else by its first word, of which there are few", () => {
  assert.equal(statementName({ name: "claim", text: "with a as (select 1) select 1" }), "claim");
  assert.equal(statementName({ name: undefined, text: "\n  WITH a as (select 1) select 1" }), "with");
  assert.equal(statementName("begin isolation level read committed; select 1"), "begin");
  assert.equal(statementName({ text: "copy blocks from stdin" }), "copy");
  for (const odd of ["", "vacuum (analyze) x", "/* a */ select 1", {}, { text: "drop table x" }])
    assert.equal(statementName(odd), "other");
});
