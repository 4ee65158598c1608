import assert from "node:assert/strict";
import { test } from "node:test";
import { querySql, queryTables } from "../../src/abi/query-sql.js";
import { SignatureError } from "../../src/abi/signature-error.js";

test("each event is a table that is called as the event is; a table of the chain keeps its name", () => {
  const names = queryTables(["Sync(uint112 a, uint112 b)", "Blocks(uint8 a)", "Order(uint8 a)", "weth"]).map(
    ({ name }) => name,
  );
  assert.deepEqual(names, ["sync", "blocks_", "order_", "deposit", "withdrawal", "transfer", "approval"]);
});

test("the user's SELECT stands alone in its lines, after one expression for each event", () => {
  const tables = queryTables(["Sync(uint112 a, uint112 b)"]);
  const sql = querySql(tables, {
    schema: "My Chain",
    sql: "with x as (select 1) select * from sync, x -- all ;\n ; ",
  });
  assert.match(sql, /^with sync as not materialized \(\nselect\n/);
  assert.match(sql, /\nfrom "My Chain".logs l left join "My Chain".blocks b/);
  assert(sql.endsWith("\nselect * from (\nwith x as (select 1) select * from sync, x -- all\n) query"), sql);
  assert.equal(querySql([], { schema: "public", sql: "select 1" }), "select * from (\nselect 1\n) query");
});

test("what is neither a signature nor an ABI that is known is refused, and so is what a query cannot decode", () => {
  assert.throws(
    () => queryTables(["erc99"]),
    /"erc99": expected a signature, such as .* or one of erc20, erc721/,
  );
  assert.throws(() => queryTables(["Foo(bar)"]), SignatureError);
  assert.throws(
    () => querySql(queryTables(["E(string[] a)"]), { schema: "public", sql: "select 1" }),
    SignatureError,
  );
});
