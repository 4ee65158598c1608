import assert from "node:assert/strict";
import { test } from "node:test";
import { databaseTarget, type Tls } from "../../src/config/database-target.js";
import { ConfigError } from "../../src/errors.js";

const off: Tls = { kind: "off", isAsked: false };

test("PG* variables fill in what a URL leaves out, and never replace what it says", () => {
  const env = {
    PGHOST: "pghost",
    PGPORT: "6000",
    PGUSER: "pguser",
    PGPASSWORD: "pgpass",
    PGDATABASE: "pgdb",
  };
  const common = { options: undefined, channelBinding: false, tls: off };
  assert.deepEqual(databaseTarget("postgresql://", env), {
    ...{ host: "pghost", port: 6_000, user: "pguser", password: "pgpass", database: "pgdb" },
    ...common,
  });
  assert.deepEqual(databaseTarget("postgresql://me:pw@db:5433/chain?options=-c%20a%3Db", env), {
    ...{ host: "db", port: 5_433, user: "me", password: "pw", database: "chain" },
    ...{ ...common, options: "-c a=b" },
  });
});

test("a URL without a host leads to this host's server", () => {
  assert.match(databaseTarget("postgresql:///chain", {}).host, /^(localhost|\/var\/run\/postgresql|\/tmp)$/);
  // Nobody's socket.
  assert.equal(databaseTarget("postgresql://:1/chain", {}).host, "localhost");
});

test("a variable that does not fit is named", () => {
  for (const [env, expected] of [
    [{ PGHOST: "h1,h2" }, /^\$PGHOST: expected one host/],
    [{ PGPORT: "5432,5433" }, /^\$PGPORT: expected one port/],
    [{ PGPORT: "70000" }, /^\$PGPORT/],
  ] as const)
    assert.throws(
      () => databaseTarget("postgresql://", env),
      (error) => error instanceof ConfigError && expected.test(error.message),
    );
});

test("every sslmode that asks for TLS verifies, but for no-verify; a socket has none", () => {
  const kindOf = (query: string, env: NodeJS.ProcessEnv = {}, host = "db") =>
    databaseTarget(`postgresql://${host}/c?${query}`, env).tls;
  for (const mode of ["allow", "prefer", "require", "verify-ca", "verify-full"])
    for (const tls of [kindOf(`sslmode=${mode}`), kindOf("port=1", { PGSSLMODE: mode })])
      assert.equal(tls.kind, "verified", mode);
  assert.equal(kindOf("sslmode=no-verify").kind, "unverified");
  assert.equal(kindOf("sslmode=require", { PGSSLMODE: "disable" }).kind, "verified");
  assert.deepEqual(kindOf("sslmode=disable", { PGSSLMODE: "require" }), { kind: "off", isAsked: true });
  assert.deepEqual(kindOf("port=1"), off);
  assert.deepEqual(kindOf("sslmode=require", {}, "%2Frun"), off);
  const files = { rootCert: "r", cert: "c", key: "k" };
  assert.deepEqual(kindOf("sslrootcert=r&sslcert=c&sslkey=k"), { kind: "verified", direct: false, ...files });
  const env = { PGSSLROOTCERT: "r", PGSSLCERT: "c", PGSSLKEY: "k" };
  assert.deepEqual(kindOf("sslmode=require&sslnegotiation=direct", env), {
    kind: "verified",
    direct: true,
    ...files,
  });
  assert.deepEqual(kindOf("sslmode=verify-full&sslrootcert=system"), {
    ...{ kind: "verified", direct: false, rootCert: undefined, cert: undefined, key: undefined },
  });
});
