import assert from "node:assert/strict";
import { test } from "node:test";
import * as formats from "../../src/config/formats.js";

function check(format: formats.Format, { fits, misfits }: { fits: unknown[]; misfits: unknown[] }): void {
  for (const value of fits) format(value);
  for (const value of misfits)
    assert.throws(() => format(value), { message: `expected ${format.expected}` }, JSON.stringify(value));
}

test("whole numbers, numbers and truths are of their own type, within their bounds", () => {
  check(formats.integer({ min: 1, max: 5 }), { fits: [1, 5], misfits: [0, 6, 1.5, "3", null, Number.NaN] });
  check(formats.number({ min: 0.5, max: 2 }), { fits: [0.5, 2], misfits: [0.4, 2.1, "1", Number.NaN] });
  check(formats.boolean(), { fits: [true, false], misfits: [0, "true", null] });
  check(formats.oneOf(["a", "b"]), { fits: ["a"], misfits: ["c", "", null] });
});

test("what null may be is either null or what it may be otherwise", () => {
  const format = formats.nullable(formats.integer({ min: 1, max: 5 }));
  format(null);
  format(3);
  assert.throws(() => format(9), /whole number from 1 to 5/);
  assert.deepEqual(["null", "", "3", "x"].map(format.parse), [null, null, 3, "x"]);
});

test("a name needs no quoting anywhere", () => {
  check(formats.identifier(), {
    fits: ["_a", "A1", "a".repeat(48)],
    misfits: ["1a", "a-b", 'a"', "", "a".repeat(49), "ä"],
  });
});

test("a schema is none of PostgreSQL's own", () => {
  check(formats.schemaName(), {
    fits: ["public", "mainnet", "Pg", "pgx", "information"],
    misfits: [
      "pg_catalog",
      "pg_temp",
      "PG_toast",
      "pg_",
      "information_schema",
      "Information_Schema",
      "a-b",
      7,
    ],
  });
});

test("a database's URL is one of libpq's, or empty; what is wrong with it is said in words of its own", () => {
  const format = formats.databaseUrl();
  for (const url of ["", "postgres://a", "postgresql:///b?host=/run/postgresql"]) format(url);
  for (const value of ["http://a", "a", "postgres//a", `postgres://${"a".repeat(4_100)}`, 7, null])
    assert.throws(() => format(value), { message: `expected ${format.expected}`, actual: "something else" });
  assert.throws(
    () => format("postgres://me:p@ss@host/db"),
    (error) => {
      assert(error instanceof formats.MisfitError);
      assert.match(error.actual, /percent-encode it \(%40\)/);
      return true;
    },
  );
});

test("text becomes the value that it says, or stays text and is refused", () => {
  assert.deepEqual(["5", " 5 ", "five", ""].map(formats.integer({ min: 0, max: 9 }).parse), [
    5,
    5,
    "five",
    "",
  ]);
  assert.deepEqual(["true", "0", "TRUE", "yes"].map(formats.boolean().parse), [true, false, true, "yes"]);
  assert.deepEqual(formats.endpoints({ schemes: ["http"] }).parse("http://a, http://b\nhttp://c,"), [
    "http://a",
    "http://b",
    "http://c",
  ]);
});

test("bounds of workers are held as text, as they are given by hand", () => {
  const format = formats.workers();
  assert.equal(format.canonical?.({ min: 2, max: 8 }), "2-8");
  assert.equal(format.canonical?.(5), 5);
  assert.equal(format.canonical?.("auto"), "auto");
});

test("what does not fit inside a list of endpoints is named by its place, and no URL is repeated", () => {
  const format = formats.endpoints({ schemes: ["http"] });
  format(["http://a", { url: "http://b", weight: 2 }]);
  const misfit = (value: unknown) => {
    try {
      format(value);
    } catch (error) {
      if (error instanceof formats.MisfitError) return [error.path, error.actual];
    }
    return undefined;
  };
  assert.deepEqual(misfit(["http://a", "htp://secret"]), [[1], "something else"]);
  assert.deepEqual(misfit([{ weight: 1 }]), [[0], "something else"]);
  assert.deepEqual(misfit([{ url: "ws://secret" }]), [[0, "url"], "something else"]);
  assert.deepEqual(misfit([{ url: "http://a", weight: 0 }]), [[0, "weight"], "0"]);
  assert.deepEqual(misfit([{ url: "http://a", key: "secret" }]), [[0, "key"], "another key"]);
  assert.deepEqual(misfit([{ url: "http://a", constructor: 1 }]), [[0, "constructor"], "another key"]);
  assert.deepEqual(misfit(["http://a", { url: "http://a" }]), [[1], "one that stands above"]);
  assert.throws(() => format("http://a"), /a list of URLs/);
});

test("an address to listen on has a host and a port, IPv6 in brackets; nothing is as good as null", () => {
  const format = formats.listenAddress();
  check(format, {
    fits: [null, "", "127.0.0.1:9464", "[::1]:0", "localhost:65535", "0.0.0.0:80"],
    misfits: ["9464", ":9464", "localhost", "::1:9464", "[::x]:1", "a b:1", "h:65536", "http://h:1", 9464],
  });
  assert.deepEqual([format.canonical?.(null), format.canonical?.("h:1")], ["", "h:1"]);
  assert.deepEqual(formats.readListenAddress("[::1]:9464"), { host: "::1", port: 9464 });
});

test("names of hosts have no port, and a token is long and fits into a header", () => {
  check(formats.hostNames(), {
    fits: [[], ["blocks.example"], ["a", "b-c.d"]],
    misfits: ["a", ["a:80"], ["http://a"], [""], [1], ["a b"]],
  });
  assert.deepEqual(formats.hostNames().parse("a.example, b"), ["a.example", "b"]);
  check(formats.token(), {
    fits: ["", "0123456789abcdef"],
    misfits: ["short", "0123456789 abcdef", "x".repeat(513), null, "0123456789abcde\n"],
  });
});
