// Databases on a PostgreSQL of Debian's, whose pg_dump and pg_restore stand first on the PATH, and a folder for backups.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { TestContext } from "node:test";
import pg from "pg";
import { blockmill, type Ended, type Environment } from "../cli/blockmill.js";
import { startDebianPostgres } from "../support/debian-postgres.js";

export interface BackupPlace {
  url: string;
  pool: pg.Pool;
  /** Runs the program on it, to its end. */
  run(args: string[], env?: Environment): Promise<Ended>;
  /** The same, where it must end well. Returns what it wrote to standard output. */
  succeed(args: string[], env?: Environment): Promise<string>;
  /** Makes a role that may only read, and returns the environment of somebody who is it. */
  addReader(name: string): Promise<Environment>;
}

export interface BackupScene {
  /** A database with nothing in it. */
  place(name: string): Promise<BackupPlace>;
  /** Where a backup may lie. */
  file(name: string): string;
}

/** All of it goes with the test. */
export async function setBackupScene(t: TestContext): Promise<BackupScene> {
  const folder = mkdtempSync(path.join(tmpdir(), "blockmill-backup-"));
  const server = await startDebianPostgres();
  const pools: pg.Pool[] = [];
  t.after(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await server.destroy();
    rmSync(folder, { recursive: true });
  });
  return {
    file: (name) => path.join(folder, name),
    async place(name) {
      const url = await server.createDatabase(name);
      const pool = new pg.Pool({ connectionString: url, max: 4, application_name: "blockmill-test" });
      pools.push(pool);
      const run: BackupPlace["run"] = (args, env = {}) =>
        blockmill(args, { BLOCKMILL_DATABASE_URL: url, PATH: server.path, ...env });
      const succeed: BackupPlace["succeed"] = async (args, env) => {
        const { code, stdout, stderr } = await run(args, env);
        assert.equal(code, 0, `${args.join(" ")}: ${stdout}${stderr}`);
        return stdout;
      };
      const addReader: BackupPlace["addReader"] = async (role) => {
        await pool.query(`create role ${role} login password 'r'`);
        await succeed(["grant", "--reader", role]);
        const asReader = new URL(url);
        Object.assign(asReader, { username: role, password: "r" });
        return { BLOCKMILL_DATABASE_URL: asReader.href };
      };
      return { url, pool, run, succeed, addReader };
    },
  };
}
