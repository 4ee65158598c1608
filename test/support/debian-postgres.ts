// A whole PostgreSQL of the system's packages: a server together with its own client programs. The embedded
// server comes without pg_dump and pg_basebackup, and those of another version refuse a newer server.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import pg from "pg";
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from "./embedded-postgres.js";

const home = "/usr/lib/postgresql";
const needed = ["initdb", "postgres", "pg_dump", "pg_restore", "pg_basebackup"];

/** Where the newest whole one lies; undefined: there is none. */
const root = newestRoot();

/** For node:test's `skip`. */
export const skip = root === undefined ? `no whole PostgreSQL in ${home}/N/bin (Debian: postgresql)` : false;

function newestRoot(): string | undefined {
  if (!existsSync(home)) return undefined;
  const roots = readdirSync(home)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => path.join(home, version));
  return roots.find((each) => needed.every((name) => existsSync(path.join(each, "bin", name))));
}

export interface DebianPostgres extends EmbeddedPostgres {
  /** Of its client programs. */
  readonly bin: string;
  /** The environment's PATH with those first. */
  readonly path: string;
  /** A new database with nothing in it, or a copy: a superuser's URL. */
  createDatabase(name: string, copied?: string): Promise<string>;
}

/** Starts a server of it; `destroy` it when done. */
export async function startDebianPostgres(options: EmbeddedPostgresOptions = {}): Promise<DebianPostgres> {
  if (root === undefined) throw new Error(String(skip));
  const bin = path.join(root, "bin");
  const variable = "BLOCKMILL_TEST_POSTGRES_NATIVE";
  const before = process.env[variable];
  process.env[variable] = root;
  const server = await startEmbeddedPostgres(options).finally(() => {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
  });
  return Object.assign(Object.create(server) as EmbeddedPostgres, {
    bin,
    path: `${bin}:${process.env.PATH}`,
    async createDatabase(name: string, copied?: string) {
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      await client.query(`create database ${name} ${copied === undefined ? "" : `template ${copied}`}`);
      await client.end();
      return server.url.replace(/\/postgres$/, `/${name}`);
    },
  });
}

/** Runs one of its client programs as the server's own user would be asked for by libpq: `env` says where to. */
export function runClient(bin: string, name: string, args: string[], env: NodeJS.ProcessEnv): string {
  return execFileSync(path.join(bin, name), args, { env: { ...process.env, ...env }, encoding: "utf8" });
}
