// What a URL of the database may be, on a real server with sockets, passwords and TLS: for commands, the daemon, and
// PostgreSQL's own programs, by way of the configuration, a credential, and PG* variables.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import pg from "pg";
import { blockmill, type Ended, type Environment, startBlockmill } from "../cli/blockmill.js";
import { type DebianPostgres, skip as noServer, startDebianPostgres } from "../support/debian-postgres.js";

const skip =
  noServer || (spawnSync("openssl", ["version"]).error === undefined ? false : "no openssl on the PATH");

/** Everything that a URL, JSON or a shell could trip over. */
const password = `p@s#s%w/r:d?&=+"'\\[ü]`;
const encoded = encodeURIComponent(password).replaceAll("'", "%27");

const folder = mkdtempSync(path.join(tmpdir(), "blockmill-urls-"));
let server: DebianPostgres;
let port: number;

before(async () => {
  if (skip) return;
  server = await startDebianPostgres();
  const url = await server.createDatabase("chain");
  port = server.port;
  await query(
    `create role mill login password ${pg.escapeLiteral(password)}; alter database chain owner to mill`,
  );
  await turnTlsOn();
  copyFileSync(inServer("server")[1] ?? "", certificate);
  const made = await blockmill(["init"], {
    BLOCKMILL_DATABASE_URL: `postgres://mill:${encoded}@${new URL(url).host}/chain`,
  });
  assert.equal(made.code, 0, made.stderr);
});
after(async () => {
  await server?.destroy();
  rmSync(folder, { recursive: true });
});

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** A key and its certificate. */
const inServer = (name: string): string[] =>
  ["key", "crt"].map((kind) => path.join(server.dataDirectory, `${name}.${kind}`));

/** With a certificate that nobody signed but itself. */
async function turnTlsOn(): Promise<void> {
  const [key = "", crt = ""] = inServer("server");
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  const request = ["req", "-new", "-x509", "-days", "2", "-nodes", ...names, "-keyout", key, "-out", crt];
  execFileSync("openssl", request, { stdio: "ignore" });
  const { uid, gid } = statSync(server.dataDirectory);
  for (const file of [key, crt]) chownSync(file, uid, gid);
  chmodSync(key, 0o600);
  await query("alter system set ssl = on");
  await query("select pg_reload_conf()");
}

const certificate = path.join(folder, "root.crt");

function run(args: string[], env: Environment): Promise<Ended> {
  return blockmill(args, {
    PATH: server.path,
    NODE_OPTIONS: undefined,
    BLOCKMILL_RPC_URLS: "http://127.0.0.1:1",
    ...env,
  });
}

const byUrl = (url: string): Environment => ({ BLOCKMILL_DATABASE_URL: url });

/** A command that connects by itself, and one whose pg_dump does. Neither says anything beside its result. */
async function assertWorks(env: Environment, args: string[] = []): Promise<void> {
  for (const command of [["status"], ["backup", "--force", path.join(folder, "chain.dump")]]) {
    const { code, stdout, stderr } = await run([...command, ...args], env);
    assert.equal(code, 0, `${command[0]}: ${stdout}${stderr}`);
    assert.equal(stderr, "", command[0]);
  }
}

const commands = [["status"], ["backup"], ["start"], ["start", "--check"]];

async function assertRefused(
  url: string,
  expected: RegExp,
  all: readonly (readonly string[])[] = commands,
): Promise<void> {
  for (const command of all) {
    const { code, stdout, stderr } = await run([...command], byUrl(url));
    assert.equal(code, 78, `${command.join(" ")}: ${stdout}${stderr}`);
    assert.match(stderr, expected);
    assert.equal(stderr.trim().split("\n").length, 1, stderr);
    assert.doesNotMatch(`${stdout}${stderr}`, /s3cr|t0p|[Ww]arning|\n\s+at /);
  }
}

test("a password of any characters works percent-encoded: in the environment, in a file, as a credential", {
  skip,
}, async () => {
  const url = `postgresql://mill:${encoded}@127.0.0.1:${port}/chain`;
  await assertWorks(byUrl(url));
  const file = path.join(folder, "file.json");
  writeFileSync(file, JSON.stringify({ database: { url } }), { mode: 0o600 });
  await assertWorks({}, ["-c", file]);
  const withCredential = path.join(folder, "credential.json");
  writeFileSync(withCredential, "{}", { mode: 0o600 });
  writeFileSync(path.join(folder, "credential.database_url"), `${url}\n`, { mode: 0o600 });
  await assertWorks({}, ["-c", withCredential]);
});

test("a password that libpq takes as it is works as it is", { skip }, async () => {
  await query("create role plain login password 'a#b:c?d=e+f' in role mill");
  const { code, stderr } = await run(
    ["status"],
    byUrl(`postgresql://plain:a#b:c?d=e+f@127.0.0.1:${port}/chain`),
  );
  assert.equal(code, 0, stderr);
});

test("a URL that cannot be read is refused in one line, which says what to percent-encode and shows no part of it", {
  skip,
}, async () => {
  for (const [secret, expected] of [
    ["s3cr@t0p", /percent-encode it \(%40\)/],
    ["s3cr/t0p", /percent-encode it \(%2F\)/],
    ["s3cr%t0p", /percent-encode the % itself/],
  ] as const)
    await assertRefused(
      `postgresql://mill:${secret}@127.0.0.1:${port}/chain`,
      new RegExp(`^blockmill: database\\.url \\(\\$BLOCKMILL_DATABASE_URL\\): expected .*${expected.source}`),
      [["status"]],
    );
  await assertRefused(
    `postgresql://mill:s3cr@127.0.0.1:${port},127.0.0.2:5433/chain`,
    /one host, got several/,
  );
});

test("a socket is reached by either way of naming it", { skip }, async () => {
  const socket = server.socketDirectory;
  await assertWorks(byUrl(`postgres://mill:${encoded}@/chain?host=${socket}&port=${port}`));
  await assertWorks(byUrl(`postgresql://mill:${encoded}@${encodeURIComponent(socket)}:${port}/chain`));
  await assertWorks(
    byUrl(`postgresql:///chain?host=${socket}&port=${port}&user=mill&password=${encoded}&sslmode=require`),
  );
});

test("PG* variables fill in what the URL leaves out", { skip }, async () => {
  const env = {
    PGHOST: "127.0.0.1",
    PGPORT: String(port),
    PGUSER: "mill",
    PGPASSWORD: password,
    PGDATABASE: "chain",
  };
  await assertWorks({ ...byUrl("postgresql://"), ...env });
  await assertWorks({
    ...byUrl("postgresql://mill@/chain"),
    ...env,
    PGUSER: "nobody",
    PGDATABASE: "nothing",
  });
});

test("a certificate that nobody signed is refused under sslmode=require, with what to set; it is never trusted unasked", {
  skip,
}, async () => {
  const url = `postgresql://mill:${encoded}@localhost:${port}/chain`;
  for (const [mode, all] of [
    ["require", commands],
    ["prefer", [["status"]]],
    ["verify-ca", [["status"]]],
    ["verify-full", [["status"]]],
  ] as const)
    await assertRefused(
      `${url}?sslmode=${mode}`,
      /^blockmill: database\.url: the server's certificate is not trusted \(self-signed certificate\): .*sslmode=verify-full&sslrootcert=FILE; sslmode=no-verify trusts whoever answers\n$/,
      all,
    );
  await assertWorks(byUrl(`${url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`));
  await assertWorks(byUrl(`${url}?sslmode=require&sslrootcert=${encodeURIComponent(certificate)}`));
  await assertWorks(byUrl(`${url}?sslmode=no-verify`));
  await assertWorks({ ...byUrl(url), PGSSLMODE: "verify-full", PGSSLROOTCERT: certificate });
});

test("a certificate for another name, and a file that is not there, are told apart", { skip }, async () => {
  const url = `postgresql://mill:${encoded}@127.0.0.1:${port}/chain?sslmode=verify-full&sslrootcert=`;
  await assertRefused(`${url}${encodeURIComponent(certificate)}`, /for another name than the URL's host/);
  await assertRefused(`${url}/nowhere.crt`, /sslrootcert: the file \/nowhere\.crt cannot be read \(ENOENT\)/);
});

test("a daemon whose server shows another certificate while it works waits, and goes on", {
  skip,
}, async () => {
  const url = `postgresql://mill:${encoded}@localhost:${port}/chain?sslmode=verify-full&sslrootcert=${encodeURIComponent(certificate)}`;
  const daemon = await startBlockmill(["start"], { ...byUrl(url), BLOCKMILL_RPC_URLS: "http://127.0.0.1:1" });
  await daemon.line(/holding the lease/);
  const trusted = inServer("server").map((file) => readFileSync(file));
  await turnTlsOn();
  const from = daemon.output.length;
  const cut = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'mill'";
  await query(cut);
  await daemon.line(/certificate is not trusted/, { from });
  for (const [i, file] of inServer("server").entries()) writeFileSync(file, trusted[i] ?? "");
  await query("select pg_reload_conf()");
  await daemon.line(/holding the lease/, { from });
  daemon.child.kill("SIGTERM");
  assert.equal((await daemon.ended).code, 0);
});
