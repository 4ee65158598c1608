import assert from "node:assert/strict";
import { test } from "node:test";
import { namedParameters } from "../../src/db/named-parameters.js";

test("a parameter has one number, wherever it stands, and its value comes at that place", () => {
  const bind = namedParameters<{ id: number; claim: number | null }>(
    "update jobs set claim = :claim where id = :id and claim <> :claim",
    "settle",
  );
  assert.deepEqual(bind({ id: 7, claim: null }), {
    name: "settle",
    text: "update jobs set claim = $1 where id = $2 and claim <> $1",
    values: [null, 7],
  });
});

test("a statement without a name is not prepared", () => {
  assert.deepEqual(namedParameters<{ a: number }>("select :a")({ a: 1 }), { text: "select $1", values: [1] });
});

test("casts, strings, identifiers and comments are left alone", () => {
  const text = `
    select :ids::bigint[], 'at 10:am, it''s :ids', ":ids" -- :ids
    from unnest(:ids::bigint[])`;
  assert.equal(namedParameters<{ ids: number[] }>(text)({ ids: [] }).text, text.replace(/:ids::/g, "$$1::"));
});

test("a name that begins another is not taken for it", () => {
  const bind = namedParameters<{ id: number; ids: number[] }>("select :ids, :id");
  assert.deepEqual(bind({ id: 1, ids: [2] }), { text: "select $1, $2", values: [[2], 1] });
});

test("a value that is missing or not asked for is refused", () => {
  const bind = namedParameters<Record<string, unknown>>("select :a, :b");
  assert.throws(() => bind({ a: 1 }), /^Error: no value for the parameter :b$/);
  assert.throws(() => bind({ a: 1, b: undefined }), /:b$/);
  assert.throws(() => bind({ a: 1, b: 2, c: 3 }), /^Error: the statement has no parameter :c$/);
});

test("names and numbers are not mixed", () => {
  assert.throws(() => namedParameters("select :a, $1"), /not both/);
});
