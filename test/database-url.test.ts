import assert from "node:assert/strict";
import { test } from "node:test";
import { type DatabaseUrl, DatabaseUrlError, parseDatabaseUrl } from "../src/database-url.js";
import { secretsOfUrl } from "../src/redact.js";

/** What a URL says, without what it leaves out. */
function said(url: string): Record<string, unknown> {
  const { parameters, writtenPassword: _, ...place } = parseDatabaseUrl(url);
  const given = { ...place, ...parameters } satisfies Partial<DatabaseUrl> & object;
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

// By libpq's rules (conninfo_uri_parse in fe-connect.c).
const read: [url: string, expected: Record<string, unknown>][] = [
  ["postgresql://", {}],
  ["postgresql:///chain", { database: "chain" }],
  ["postgres://me@db", { host: "db", user: "me" }],
  [
    "postgres://me:secret@db:6543/chain",
    { host: "db", port: 6_543, user: "me", password: "secret", database: "chain" },
  ],
  [
    "postgres://me:a%40b%23c%25d%2Fe%3Af@db/c",
    { host: "db", user: "me", password: "a@b#c%d/e:f", database: "c" },
  ],
  ["postgres://me:a#b:c?d&e=f@db/c", { host: "db", user: "me", password: "a#b:c?d&e=f", database: "c" }],
  ["postgres://m%40e:%F0%9F%A7%B1@db/%C3%A4", { host: "db", user: "m@e", password: "🧱", database: "ä" }],
  [
    "postgresql:///chain?host=/run/postgresql&port=5433",
    { host: "/run/postgresql", port: 5_433, database: "chain" },
  ],
  ["postgresql://%2Frun%2Fpostgresql/chain", { host: "/run/postgresql", database: "chain" }],
  [
    "postgresql://me:pw@%2Frun%2Fpg:5433/chain",
    { host: "/run/pg", port: 5_433, user: "me", password: "pw", database: "chain" },
  ],
  ["postgresql://[2001:db8::1]:5433/c", { host: "2001:db8::1", port: 5_433, database: "c" }],
  ["postgresql://:5433/c", { port: 5_433, database: "c" }],
  [
    "postgresql://db/c?user=me@tenant&password=p%26w",
    { host: "db", database: "c", user: "me@tenant", password: "p&w" },
  ],
  ["postgresql://other/c?host=db", { host: "db", database: "c" }],
  ["postgresql://db/c?options=-c%20geqo%3Doff", { host: "db", database: "c", options: "-c geqo=off" }],
  [
    "postgresql://db?sslmode=require&channel_binding=require",
    { host: "db", sslmode: "require", channel_binding: "require" },
  ],
  ["postgresql://db?ssl=true", { host: "db", sslmode: "require" }],
  ["postgresql://db?ssl=0", { host: "db", sslmode: "disable" }],
  ["postgresql://db?application_name=a&connect_timeout=3&target_session_attrs=read-write", { host: "db" }],
];

for (const [url, expected] of read)
  test(`${url} is read as libpq reads it`, () => {
    assert.deepEqual(said(url), expected);
  });

// Each holds the secret, or parts of it, wherever a mistake may have put them.
const refused: [url: string, expected: RegExp][] = [
  [
    "postgres://me:s3cr@t@db/chain",
    /expected one "@", before the host, got more: .*percent-encode it \(%40\)/,
  ],
  ["postgres://me:s3cr/t@db/chain", /no "\/" before the "@", got one: .*percent-encode it \(%2F\)/],
  ["postgres://me:s3cr%t@db/chain", /two hexadecimal digits .*percent-encode the % itself \(%25\)/],
  ["postgres://me:s3cr%zz@db/chain", /percent-encode the %/],
  ["postgres://me:s3cr t@db/chain", /no white space, got some: percent-encode it/],
  ["postgres://me:s3cr?t/x@db/chain", /a port .*percent-encode/],
  ["postgres://me:s3cr%00@db/chain", /no %00/],
  ["postgres://me:s3cr%ff@db/chain", /UTF-8/],
  ["postgres://me:s3cr,t@h1:5432,h2:5433/chain", /one host, got several: .*the primary/],
  ["postgres://me:s3cr@/chain?host=h1,h2", /one host, got several/],
  ["postgres://me:s3cr@db:many/chain", /a port from 1 to 65535/],
  ["postgres://me:s3cr@db:0/chain", /a port from 1 to 65535/],
  ["postgres://me:s3cr@[::1/chain", /IPv6 address in brackets/],
  ["postgres://me@db/chain?password=s3cr&t", /name=value as the parameter 2 .*percent-encode/],
  [
    "postgres://me@db/chain?password=s3cr&t=x",
    /the parameter 2 behind the "\?" to be one of sslmode, .*got another one/,
  ],
  ["postgres://me@db/chain?password=s3cr=t", /percent-encode/],
  [
    "postgres://me:s3cr@db/chain?sslmode=strict",
    /sslmode to be one of disable, .*, no-verify, got another word/,
  ],
  ["postgres://me:s3cr@db/chain?ssl=maybe", /sslmode to be one of/],
  [
    "postgres://me:s3cr@db/chain?target_session_attrs=standby",
    /target_session_attrs to be one of any, read-write, primary/,
  ],
  ["postgres://me:s3cr@db/chain?gssencmode=require", /gssencmode to be one of/],
  ["mysql://me:s3cr@db/chain", /begins with postgres/],
];

for (const [url, expected] of refused)
  test(`${url} is refused in words that tell no part of it`, () => {
    assert.throws(
      () => parseDatabaseUrl(url),
      (error) => {
        assert(error instanceof DatabaseUrlError);
        assert.match(error.message, expected);
        assert.doesNotMatch(error.message, /s3cr|\bme\b|chain|h1/);
        return true;
      },
    );
  });

test("a password is secret as it is written and as it is meant, wherever it stands", () => {
  assert.deepEqual(secretsOfUrl("postgres://me:a%40b@db/c"), ["a@b", "a%40b"]);
  assert.deepEqual(secretsOfUrl("postgres://db/c?password=p%26w"), ["p&w", "p%26w"]);
  assert.deepEqual(secretsOfUrl("postgres://me:a#b@db/c"), ["a#b", "a#b"]);
  assert.deepEqual(secretsOfUrl("postgres://db/c"), []);
  assert.deepEqual(secretsOfUrl("postgres://me:p@w@db/c"), []);
});
